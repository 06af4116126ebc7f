import type { Clock } from "../../clock.ts";
import type { RecordCounts, RecordQuery, Replayed, ReplayOptions } from "../inbox.ts";
import type { Policy } from "../policy.ts";
import { type AskedQuery, asked } from "../polled/query.ts";
import type { AuditEntry, RecordDetails, RecordState, RecordSummary } from "../record.ts";
import { jobIdOf } from "./keys.ts";
import { COLUMNS } from "./management-scripts.ts";
import { auditText, details, type Fields, fieldsFrom, keyOf, summary } from "./rows.ts";
import type { ScriptName } from "./scripts.ts";
import type { InboxServer } from "./server.ts";

/** How many records one script looks at or changes: the server answers nobody else meanwhile. */
const AT_ONCE = 500;

interface Found {
  readonly fields: Fields;
  readonly state: RecordState;
  readonly queue: string;
  readonly id: string;
}

/** What operators ask of the records, and do with them. */
export class RedisManagement {
  readonly #server: InboxServer;
  readonly #prefix: string;
  readonly #policy: Policy;
  readonly #clock: Clock;

  constructor(server: InboxServer, prefix: string, policy: Policy, clock: Clock) {
    this.#server = server;
    this.#prefix = prefix;
    this.#policy = policy;
    this.#clock = clock;
  }

  async find(query: RecordQuery): Promise<readonly RecordSummary[]> {
    const { limit = 100, ...rest } = asked(query);
    const found: RecordSummary[] = [];
    for await (const page of this.#pages({ ...rest, limit })) {
      for (const { fields, state } of page) found.push(summary(fields, state));
    }
    return found;
  }

  async get(key: string): Promise<RecordDetails | undefined> {
    const known = await this.#locate(key);
    return known && details(known.fields, known.state, known.shared);
  }

  async counts(): Promise<RecordCounts> {
    const counts = (await this.#run("hookbusCount", this.#key("queues"))) as readonly number[];
    const [running = 0, open = 0, done = 0, dead = 0, ignored = 0, discarded = 0] = counts;
    return { pending: open - running, running, done, dead, ignored, discarded };
  }

  async replay(target: string | RecordQuery, { subscribers, dryRun = false }: ReplayOptions): Promise<Replayed> {
    const replayed: string[] = [];
    const refused: Replayed["refused"][number][] = [];
    const now = this.#clock.now();
    const entry: AuditEntry = { at: now, action: "replay", subscribers };
    const only = subscribers ? JSON.stringify(subscribers) : "";
    const args = [String(now), dryRun ? "1" : "", only, auditText(entry), ...(subscribers ?? [])];
    for await (const page of this.#targets(target)) {
      const answers = await Promise.all(page.map((found) => this.#change("hookbusReplay", found, args)));
      for (const [index, { fields }] of page.entries()) {
        const key = keyOf(fields);
        const answer = answers[index];
        if (answer === "replayed") replayed.push(key);
        else if (answer === "running" || answer === "purged") refused.push({ key, reason: answer });
      }
    }
    return { replayed, refused };
  }

  async discard(target: string | RecordQuery): Promise<number> {
    const now = this.#clock.now();
    const entry: AuditEntry = { at: now, action: "discard", subscribers: undefined };
    let discarded = 0;
    for await (const page of this.#targets(target)) {
      const answers = await Promise.all(
        page.map((found) => this.#change("hookbusDiscard", found, [String(now), auditText(entry)])),
      );
      discarded += answers.filter((answer) => answer === 1).length;
    }
    return discarded;
  }

  async purge(): Promise<number> {
    const before = String(this.#clock.now() - this.#policy.retentionMs);
    let purged = 0;
    for (;;) {
      const more = Number(await this.#run("hookbusPurge", this.#key("ended"), before, String(AT_ONCE)));
      purged += more;
      if (more < AT_ONCE) return purged;
    }
  }

  async *#targets(target: string | RecordQuery): AsyncGenerator<readonly Found[]> {
    if (typeof target !== "string") {
      yield* this.#pages(asked(target));
      return;
    }
    const known = await this.#locate(target);
    if (known) yield [known];
  }

  /** Those that fit, the newest first; no more than the limit, where there is one. */
  async *#pages(query: AskedQuery): AsyncGenerator<readonly Found[]> {
    const { bus, state, type, id, since, until, limit = Number.POSITIVE_INFINITY, after } = query;
    const filters = [bus, state, type, id].map((value) => (value === undefined ? "" : `=${value}`));
    const times = [since, until].map((time) => (time === undefined ? "" : String(time)));
    let from = "+inf";
    let afterId = after === undefined ? "" : jobIdOf(after);
    for (let left = limit; left > 0; ) {
      const want = String(Math.min(left, AT_ONCE));
      const args = [from, afterId, String(AT_ONCE), want, ...filters, ...times];
      const answer = await this.#run("hookbusFind", this.#key("open"), ...args);
      const [next, ...rows] = answer as readonly [string | null, ...(string | null)[][]];
      if (rows.length > 0) yield rows.map(foundIn);
      if (next === null) return;
      left -= rows.length;
      from = `(${next}`;
      afterId = "";
    }
  }

  async #locate(key: string): Promise<(Found & { readonly shared: string | undefined }) | undefined> {
    const id = jobIdOf(key);
    const answer = await this.#run("hookbusGet", this.#key("queues"), id);
    if (answer === null) return undefined;
    const [queue, state, shared, fields] = answer as [string, RecordState, string | null, string[]];
    return { queue, id, state, shared: shared ?? undefined, fields: fieldsFrom(fields) };
  }

  #change(script: ScriptName, { queue, id }: Found, args: readonly string[]): Promise<unknown> {
    return this.#server.ask(({ redis }) =>
      redis.runCommand(script, [this.#key(`${queue}:${id}`), this.#prefix, queue, id, ...args]),
    );
  }

  #run(script: ScriptName, key: string, ...args: readonly string[]): Promise<unknown> {
    return this.#server.ask(({ redis }) => redis.runCommand(script, [key, this.#prefix, ...args]));
  }

  #key(name: string): string {
    return `${this.#prefix}:${name}`;
  }
}

/** A row of the script: the columns, the state, and where the job is. */
function foundIn(row: readonly (string | null)[]): Found {
  const values = COLUMNS.flatMap((column, index) => {
    const value = row[index];
    return value === null || value === undefined ? [] : ([[column, value]] as const);
  });
  const state = row[COLUMNS.length] as RecordState;
  const [queue, id] = (row[COLUMNS.length + 1] as string).split(":") as [string, string];
  return { fields: new Map(values), state, queue, id };
}
