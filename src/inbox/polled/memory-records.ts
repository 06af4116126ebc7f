import type { Clock } from "../../clock.ts";
import type { RecordCounts, RecordQuery, Replayed, ReplayOptions } from "../inbox.ts";
import type { Policy } from "../policy.ts";
import type {
  Attempt,
  AuditEntry,
  Failure,
  Lease,
  LeasedRecord,
  NewRecord,
  Outcome,
  RecordDetails,
  Recorded,
  RecordState,
  RecordSummary,
} from "../record.ts";
import { type AskedQuery, asked, STATES } from "./query.ts";
import type { Change, LeaseRequest, Mark, RecordStore } from "./record-store.ts";
import { subscriberStates } from "./subscriber-states.ts";

interface Entry {
  record: NewRecord;
  readonly order: number;
  state: Exclude<RecordState, "running">;
  dueAt: number;
  leased: boolean;
  fence: number;
  attempts: number;
  /** How many of them were before the last replay. */
  base: number;
  startedAt: number;
  endedAt: number | undefined;
  marks: Mark[];
  only: readonly string[] | undefined;
  wasDone: boolean;
  replayed: boolean;
  purged: boolean;
  readonly history: Attempt[];
  readonly audit: AuditEntry[];
}

/** Records in the memory of this process. */
export class MemoryRecords implements RecordStore {
  readonly #policy: Policy;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(policy: Policy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  insert(deliveries: readonly (readonly NewRecord[])[]): readonly (readonly Recorded[])[] {
    return deliveries.map((records) => records.map((record) => this.#insert(record)));
  }

  lease({ bus, limit }: LeaseRequest): readonly LeasedRecord[] {
    const now = this.#clock.now();
    const due = [...this.#entries.values()]
      .filter(
        (entry) => entry.record.bus === bus && entry.state === "pending" && entry.dueAt <= now && this.#leads(entry),
      )
      .sort((one, other) => one.dueAt - other.dueAt || one.order - other.order);
    return due.slice(0, limit).map((entry) => this.#lease(entry, now));
  }

  extend(leases: readonly Lease[]): readonly Lease[] {
    return leases.filter((lease) => {
      const entry = this.#held(lease);
      if (entry) entry.dueAt = this.#clock.now() + this.#policy.leaseMs;
      return !entry;
    });
  }

  write(changes: readonly Change[]): readonly boolean[] {
    return changes.map((change) => {
      const entry = this.#held(change.lease);
      if (!entry) return false;
      if (change.kind === "mark") this.#mark(entry, [change.mark]);
      else this.#end(entry, change);
      return true;
    });
  }

  find(query: RecordQuery): readonly RecordSummary[] {
    return this.#matching(asked(query), 100).map((entry) => this.#summary(entry));
  }

  get(key: string): RecordDetails | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    const { record, purged, history, audit, marks } = entry;
    return {
      ...this.#summary(entry),
      matchedSecret: record.matchedSecret,
      request: purged ? undefined : record.request,
      body: purged ? undefined : record.body,
      subscribers: subscriberStates(marks, history),
      history: [...history],
      audit: [...audit],
    };
  }

  counts(): RecordCounts {
    const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<RecordState, number>;
    for (const entry of this.#entries.values()) counts[this.#stateOf(entry)] += 1;
    return counts;
  }

  replay(target: string | RecordQuery, { subscribers, dryRun = false }: ReplayOptions): Replayed {
    const replayed: string[] = [];
    const refused: Replayed["refused"][number][] = [];
    for (const entry of this.#targets(target)) {
      const { key } = entry.record;
      if (this.#stateOf(entry) === "running") refused.push({ key, reason: "running" });
      else if (entry.purged) refused.push({ key, reason: "purged" });
      else {
        replayed.push(key);
        if (!dryRun) this.#replay(entry, subscribers);
      }
    }
    return { replayed, refused };
  }

  discard(target: string | RecordQuery): number {
    const at = this.#clock.now();
    const found = this.#targets(target).filter((entry) => ["pending", "dead"].includes(this.#stateOf(entry)));
    for (const entry of found) {
      Object.assign(entry, { state: "discarded", endedAt: at, leased: false, fence: entry.fence + 1 });
      entry.audit.push({ at, action: "discard", subscribers: undefined });
    }
    return found.length;
  }

  purge(): number {
    const before = this.#clock.now() - this.#policy.retentionMs;
    let purged = 0;
    for (const entry of this.#entries.values()) {
      const ended = entry.state !== "pending" && entry.state !== "dead";
      if (!ended || entry.purged || entry.endedAt === undefined || entry.endedAt > before) continue;
      entry.purged = true;
      entry.record = { ...entry.record, body: new Uint8Array(), request: undefined };
      purged += 1;
    }
    return purged;
  }

  ping(): void {}
  close(): void {}

  #insert(record: NewRecord): Recorded {
    const known = this.#entries.get(record.key);
    if (known) return { state: "duplicate", fingerprint: known.record.fingerprint };
    const now = this.#clock.now();
    this.#entries.set(record.key, {
      record,
      order: this.#entries.size,
      state: record.ignored ? "ignored" : "pending",
      dueAt: now,
      leased: false,
      fence: 0,
      attempts: 0,
      base: 0,
      startedAt: 0,
      endedAt: record.ignored ? now : undefined,
      marks: [],
      only: undefined,
      wasDone: false,
      replayed: false,
      purged: false,
      history: [],
      audit: [],
    });
    return { state: "recorded" };
  }

  /** Whether nothing of its lane stands before it. */
  #leads({ record: { bus, lane }, order }: Entry): boolean {
    if (lane === undefined) return true;
    for (const { record, order: other, state, leased } of this.#entries.values()) {
      if (record.bus !== bus || record.lane !== lane || state !== "pending" || other === order) continue;
      if (other < order || leased) return false;
    }
    return true;
  }

  #lease(entry: Entry, now: number): LeasedRecord {
    const { record, marks } = entry;
    if (entry.leased) this.#remember(entry, "lost", undefined, []);
    entry.leased = true;
    entry.fence += 1;
    entry.attempts += 1;
    entry.startedAt = now;
    entry.dueAt = now + this.#policy.leaseMs;
    const attempt = entry.attempts - entry.base;
    return {
      lease: { key: record.key, fence: String(entry.fence) },
      attempt,
      attemptsLeft: this.#policy.attempts - attempt,
      done: marks.map(({ subscriber }) => subscriber),
      rejected: marks.some(({ rejected }) => rejected),
      only: entry.only,
      wasDone: entry.wasDone,
      replayed: entry.replayed,
      ...record,
    };
  }

  #held({ key, fence }: Lease): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry?.leased && String(entry.fence) === fence ? entry : undefined;
  }

  #mark(entry: Entry, marks: readonly Mark[]): void {
    for (const mark of marks) {
      if (entry.marks.some(({ subscriber }) => subscriber === mark.subscriber)) continue;
      entry.marks.push(mark);
    }
  }

  #end(entry: Entry, change: Exclude<Change, { kind: "mark" }>): void {
    this.#mark(entry, change.marks);
    const now = this.#clock.now();
    entry.leased = false;
    entry.dueAt = now;
    if (change.kind === "give back") {
      this.#remember(entry, "given back", now, []);
      return;
    }
    const { outcome } = change;
    this.#remember(entry, outcome.outcome, now, "failures" in outcome ? outcome.failures : []);
    if (outcome.outcome === "failed") entry.dueAt = now + change.dueInMs;
    else Object.assign(entry, { state: outcome.outcome, endedAt: now });
  }

  #remember(
    entry: Entry,
    outcome: Outcome["outcome"] | "lost" | "given back",
    endedAt: number | undefined,
    failures: readonly Failure[],
  ): void {
    entry.history.push({ attempt: entry.attempts, startedAt: entry.startedAt, endedAt, outcome, failures });
  }

  #replay(entry: Entry, subscribers: readonly string[] | undefined): void {
    const at = this.#clock.now();
    const again = ({ subscriber }: Mark): boolean => subscribers?.includes(subscriber) ?? true;
    Object.assign(entry, {
      wasDone: entry.state === "done",
      state: "pending",
      dueAt: at,
      leased: false,
      fence: entry.fence + 1,
      base: entry.attempts,
      endedAt: undefined,
      marks: entry.marks.filter((mark) => !again(mark)),
      only: subscribers,
      replayed: true,
    });
    entry.audit.push({ at, action: "replay", subscribers });
  }

  #targets(target: string | RecordQuery): readonly Entry[] {
    if (typeof target !== "string") return this.#matching(asked(target));
    const entry = this.#entries.get(target);
    return entry ? [entry] : [];
  }

  #matching(query: AskedQuery, most = Number.POSITIVE_INFINITY): readonly Entry[] {
    const { bus, state, type, id, since, until, limit = most, after } = query;
    const cursor = after === undefined ? undefined : this.#entries.get(after)?.order;
    const fits = (entry: Entry): boolean => {
      const { record, order } = entry;
      return (
        (bus === undefined || record.bus === bus) &&
        (type === undefined || record.type === type) &&
        (id === undefined || record.id === id) &&
        (since === undefined || record.receivedAt >= since) &&
        (until === undefined || record.receivedAt < until) &&
        (cursor === undefined || order < cursor) &&
        (state === undefined || this.#stateOf(entry) === state)
      );
    };
    return [...this.#entries.values()].reverse().filter(fits).slice(0, limit);
  }

  #stateOf({ state, leased, dueAt }: Entry): RecordState {
    return state === "pending" && leased && dueAt > this.#clock.now() ? "running" : state;
  }

  #summary(entry: Entry): RecordSummary {
    const { record, attempts, base, dueAt, endedAt, purged } = entry;
    const { key, bus, provider, id, type, verifiedBy, receivedAt } = record;
    const state = this.#stateOf(entry);
    const due = state === "pending" ? dueAt : undefined;
    return {
      key,
      bus,
      provider,
      id,
      type,
      verifiedBy,
      receivedAt,
      state,
      attempts: attempts - base,
      dueAt: due,
      endedAt,
      purged,
    };
  }
}
