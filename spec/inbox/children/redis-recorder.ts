import { once } from "node:events";
import type { NewRecord } from "../../../src/inbox/record.ts";
import { redisInbox } from "../../../src/inbox/redis.ts";

export interface Task {
  readonly url: string;
  readonly times: number;
  readonly record: Omit<NewRecord, "body"> & { readonly body: string };
}

/** Records the same event many times at once, when told to by a line, and says what came of each. */
async function recordAtOnce({ url, times, record }: Task): Promise<void> {
  const inbox = redisInbox({ connection: url });
  await inbox.ping();
  process.stdout.write("ready\n");
  await once(process.stdin, "data");
  const one = { ...record, body: Buffer.from(record.body) };
  const recorded = await Promise.all(Array.from({ length: times }, () => inbox.record([one])));
  await inbox.close();
  process.stdin.destroy();
  process.stdout.write(`${JSON.stringify(recorded.flat())}\n`);
}

const [, , task] = process.argv;
if (task?.startsWith("{")) await recordAtOnce(JSON.parse(task) as Task);
