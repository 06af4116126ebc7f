import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Blows } from "./blows.ts";
import type { Crew } from "./crew.ts";
import type { Host } from "./hosts.ts";
import { JournalReader } from "./journal.ts";
import { judge, lostOf, type Verdict } from "./judge.ts";
import type { Options } from "./options.ts";
import { LEASE_MS, type Plan } from "./plan.ts";
import { send } from "./provider.ts";
import { Runs } from "./runs.ts";
import type { Task } from "./task.ts";
import { SUBSCRIBERS } from "./work.ts";

export interface Soaked {
  readonly verdict: Verdict;
  /** What went wrong besides. */
  readonly troubles: readonly string[];
}

/** Says how far the run is. */
export type Tell = (progress: string) => void;

interface Setting {
  readonly options: Options;
  readonly plan: Plan;
  readonly host: Host;
  readonly crew: Crew;
  readonly task: Omit<Task, "process">;
  readonly folder: string;
  readonly tell: Tell;
  readonly signal: AbortSignal;
}

const LOOK_MS = 100;
const TELL_MS = 5_000;

/**
 * So many events at the most are acknowledged and not finished. A few more than the workers hold at once: so the blows
 * come while there is work, and what a process loses is soon taken by another one, which the first one then meets.
 */
const BACKLOG = 32;

/** What takes longer does not hold up the rest, in milliseconds: it may be lost. */
const OVERDUE_MS = 15_000;

/** Where nothing moves for so long, what is missing is lost, in milliseconds. */
const QUIET_MS = 30_000;

/** Long enough for every lease of a process that is gone to run out, so that what would run again has, in milliseconds. */
const SETTLED_MS = 1.5 * LEASE_MS + 500;

/** One run, from the first delivery to the verdict. */
export class SoakRun {
  readonly #setting: Setting;
  readonly #runs = new Runs(SUBSCRIBERS.length);
  readonly #acked = new Set<string>();
  readonly #blows: Blows;
  readonly #over = new AbortController();
  readonly #started = Date.now();
  readonly #troubles: string[] = [];
  /** When they were acknowledged: those that are not finished, as far as was last seen. */
  readonly #open = new Map<string, number>();
  #acks = 0;
  #moved = Date.now();

  constructor(setting: Setting) {
    this.#setting = setting;
    const { plan, crew, host } = setting;
    this.#blows = new Blows(plan.blows, crew, host, this.#runs);
  }

  async run(): Promise<Soaked> {
    const { options, plan, host, crew, task, folder, tell, signal } = this.#setting;
    const journal = new JournalReader(task.journal);
    const look = setInterval(() => this.#read(journal), LOOK_MS);
    const telling = setInterval(() => tell(this.#progress()), TELL_MS);
    const limitMs = options.deadlineSeconds * 1000;
    const deadline = setTimeout(() => this.#giveUp(`not done after ${options.deadlineSeconds} s`), limitMs);
    signal.addEventListener("abort", () => this.#giveUp("interrupted"));
    try {
      crew.start();
      await send({
        deliveries: plan.deliveries,
        seed: options.seed,
        portOf: (index) => crew.portOf(index),
        mayGoOn: () => this.#room(),
        onAck: ({ id }, receiver) => this.#acknowledged(id, receiver),
        signal: this.#over.signal,
      });
      await this.#blows.end();
      await this.#finished();
      await crew.stop();
      this.#read(journal);
      tell(this.#progress());
      const struck = [...this.#blows.struck, ...crew.struck];
      const effects = await host.effects?.();
      const events = plan.events.map(({ id }) => id);
      // For whoever looks into a run that was kept.
      await writeFile(join(folder, "struck.json"), JSON.stringify(struck, null, 2));
      const verdict = judge({
        events,
        acked: this.#acked,
        subscribers: SUBSCRIBERS,
        runs: this.#runs,
        effects,
        struck,
      });
      return { verdict, troubles: [...this.#troubles, ...this.#blows.troubles, ...crew.crashes] };
    } finally {
      clearInterval(look);
      clearInterval(telling);
      clearTimeout(deadline);
      journal.close();
    }
  }

  #giveUp(why: string): void {
    this.#troubles.push(`${why}; got as far as ${this.#progress()}`);
    this.#over.abort();
  }

  #acknowledged(id: string, receiver: number): void {
    if (!this.#acked.has(id)) this.#open.set(id, Date.now());
    this.#acked.add(id);
    this.#acks += 1;
    this.#blows.acknowledged(this.#acks, receiver);
  }

  #read(journal: JournalReader): void {
    const before = this.#runs.lines;
    this.#runs.add(journal.read());
    if (this.#runs.lines > before) this.#moved = Date.now();
  }

  async #room(): Promise<void> {
    const full = (): boolean => this.#backlog() >= BACKLOG || this.#blows.isBehind(this.#acks);
    while (full() && !this.#over.signal.aborted) await sleep(LOOK_MS / 2);
  }

  #backlog(): number {
    const overdue = Date.now() - OVERDUE_MS;
    for (const [id, at] of this.#open) {
      if (at < overdue || this.#runs.succeeded(id).size === SUBSCRIBERS.length) this.#open.delete(id);
    }
    return this.#open.size;
  }

  /** Waits until nothing is missing, or nothing more is to be hoped for; and then until nothing more happens. */
  async #finished(): Promise<void> {
    const { host, crew } = this.#setting;
    const known = { acked: this.#acked, subscribers: SUBSCRIBERS, runs: this.#runs };
    while (!this.#over.signal.aborted && !this.#quietFor(QUIET_MS)) {
      if (!crew.suffering && lostOf({ ...known, effects: await host.effects?.() }).length === 0) break;
      await sleep(LOOK_MS * 5);
    }
    while (!this.#over.signal.aborted && !this.#quietFor(SETTLED_MS)) await sleep(LOOK_MS);
  }

  #quietFor(ms: number): boolean {
    return Date.now() - this.#moved >= ms;
  }

  #progress(): string {
    const { plan } = this.#setting;
    const seconds = Math.round((Date.now() - this.#started) / 1000);
    const struck = plan.blows.length - this.#blows.left;
    return `${seconds} s: ${this.#acks} of ${plan.deliveries.length} deliveries acknowledged, ${this.#runs.finished} of ${plan.events.length} events finished, ${struck} of ${plan.blows.length} blows`;
  }
}
