import { Redis } from "ioredis";
import type { NewRecord } from "../../dist/inbox/record.js";

/** What the bare driver takes to keep records: a hash for each and its place in one set, no look at duplicates. */
export function bareRedis(port: number): (group: readonly NewRecord[]) => Promise<void> {
  const client = new Redis({ host: "127.0.0.1", port });
  let seq = 0;
  return async (group) => {
    const transaction = client.multi();
    for (const { body, request, ...facts } of group) {
      seq += 1;
      const fields = { facts: JSON.stringify(facts), request: JSON.stringify(request), body: body as Buffer };
      transaction.hset(`bare:${facts.key}`, fields).zadd("bare:open", seq, facts.key);
    }
    for (const [error] of (await transaction.exec()) ?? [[new Error("the transaction was dropped")]]) {
      if (error) throw error;
    }
  };
}
