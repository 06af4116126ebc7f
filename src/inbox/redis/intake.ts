import { setTimeout as pause } from "node:timers/promises";
import type { HeldJob, RedisJobs } from "./jobs.ts";
import { AT_ONCE } from "./lua.ts";

/** Jobs that were asked for. */
interface Asked {
  readonly most: number;
  readonly given: Promise<readonly HeldJob[]>;
}

/** Takes as many jobs as there are places for. */
export class Intake {
  readonly #jobs: Pick<RedisJobs, "next" | "more">;
  readonly #places: number;
  readonly #stopping: AbortSignal;
  #taken = 0;
  /** How many jobs came together the last time, where there may be more; where not, 0. */
  #most = 0;
  #asked: Asked | undefined;
  #freed = (): void => undefined;

  constructor(jobs: Pick<RedisJobs, "next" | "more">, places: number, stopping: AbortSignal) {
    this.#jobs = jobs;
    this.#places = places;
    this.#stopping = stopping;
    stopping.addEventListener("abort", () => this.#freed());
  }

  /** Whether there is something to wait for still: nothing more is asked for once it is to stop, but some may be on the way. */
  get open(): boolean {
    return !this.#stopping.aborted || this.#asked !== undefined;
  }

  /** A job has left its place. */
  left(): void {
    this.#taken -= 1;
    this.#freed();
  }

  /** The next jobs, once there are any and places for them; none where nothing came for a while. */
  async take(): Promise<readonly HeldJob[]> {
    if (!this.#asked) {
      if (this.#free <= 0) {
        await this.#room();
        return [];
      }
      if (this.#most === 0) return this.#first();
    }
    const { most, given } = this.#asked ?? this.#ask();
    this.#most = 0;
    const jobs = await given.finally(() => {
      this.#asked = undefined;
    });
    this.#taken += jobs.length;
    if (jobs.length === most) {
      this.#most = most;
      // The server looks for the next ones while these are delivered: it is asked before they take all the time there is.
      if (this.#free > 0) {
        this.#ask();
        // What is asked is gathered for a turn of the event loop, and then sent.
        await turn();
        await turn();
      }
    }
    return jobs;
  }

  /** Waits for a job as long as BullMQ does. */
  async #first(): Promise<readonly HeldJob[]> {
    const askedAt = performance.now();
    const first = await this.#jobs.next();
    if (!first) {
      // A queue that is paused or limited may say so at once, again and again.
      if (performance.now() - askedAt < 1) await pause(50, undefined, { ref: false });
      return [];
    }
    this.#taken += 1;
    this.#most = 1;
    return [first];
  }

  async #room(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#freed = resolve;
    });
    // Those that end at the same time make room for as many, which then come together.
    await turn();
  }

  #ask(): Asked {
    // Where there is one there may be many: twice as many each time, so that a single job costs no search for nine more.
    // Half of what the worker may hold comes while it delivers the other half.
    const most = Math.min(this.#most * 2, this.#free, Math.ceil(this.#places / 2), AT_ONCE);
    const given = this.#jobs.more(most);
    // Whoever takes them is told of trouble; nobody may be there yet.
    given.catch(() => undefined);
    this.#asked = { most, given };
    return this.#asked;
  }

  get #free(): number {
    return this.#stopping.aborted ? 0 : this.#places - this.#taken - (this.#asked?.most ?? 0);
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
