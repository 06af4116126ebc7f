import type { Ending, Line } from "./journal.ts";

/** One call of a subscriber. */
export interface Run {
  readonly event: string;
  readonly subscriber: string;
  readonly process: string;
  readonly start: number;
  /** Absent where the process ended first. */
  readonly end: number | undefined;
  readonly ending: Ending | undefined;
}

export const pairOf = (event: string, subscriber: string): string => `${event} ${subscriber}`;

/** All that the journal says, put together. */
export class Runs {
  readonly #runs = new Map<string, Run>();
  readonly #pulses = new Map<string, number[]>();
  readonly #succeeded = new Map<string, Set<string>>();
  readonly #open = new Map<string, number>();
  readonly #subscribers: number;
  #lines = 0;
  #finished = 0;

  /** @param subscribers how many an event has. */
  constructor(subscribers: number) {
    this.#subscribers = subscribers;
  }

  add(lines: readonly Line[]): void {
    for (const line of lines) this.#add(line);
  }

  get all(): readonly Run[] {
    return [...this.#runs.values()];
  }

  /** How much was said, pulses left out: as long as it grows, something is going on. */
  get lines(): number {
    return this.#lines;
  }

  /** How many events all of their subscribers say they did their work for. */
  get finished(): number {
    return this.#finished;
  }

  /** How many runs of a process have begun and not ended. */
  inProgress(process: string): number {
    return this.#open.get(process) ?? 0;
  }

  /** When each worker gave its pulses, in order. */
  get pulses(): ReadonlyMap<string, readonly number[]> {
    return this.#pulses;
  }

  /** The subscribers that say they did their work for an event. */
  succeeded(event: string): ReadonlySet<string> {
    return this.#succeeded.get(event) ?? new Set();
  }

  #add(line: Line): void {
    if (line.kind === "pulse") {
      const pulses = this.#pulses.get(line.process);
      if (pulses) pulses.push(line.at);
      else this.#pulses.set(line.process, [line.at]);
      return;
    }
    this.#lines += 1;
    if (line.kind === "start") {
      const { run, event, subscriber, process, at } = line;
      this.#runs.set(run, { event, subscriber, process, start: at, end: undefined, ending: undefined });
      this.#open.set(process, this.inProgress(process) + 1);
      return;
    }
    const begun = this.#runs.get(line.run);
    if (!begun) throw new Error(`the journal ends a run that it did not begin: ${line.run}`);
    this.#runs.set(line.run, { ...begun, end: line.at, ending: line.ending });
    this.#open.set(begun.process, this.inProgress(begun.process) - 1);
    if (line.ending !== "ok") return;
    const succeeded = this.#succeeded.get(begun.event) ?? new Set();
    const before = succeeded.size;
    this.#succeeded.set(begun.event, succeeded.add(begun.subscriber));
    if (succeeded.size > before && succeeded.size === this.#subscribers) this.#finished += 1;
  }
}
