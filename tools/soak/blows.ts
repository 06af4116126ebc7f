import type { Crew } from "./crew.ts";
import type { Struck } from "./exposure.ts";
import type { Host } from "./hosts.ts";
import type { Blow, Slot } from "./plan.ts";
import type { Runs } from "./runs.ts";

/** A worker is frozen in the middle of its work: with no fewer runs in progress. */
const AT_WORK = 3;

/** So many acknowledgements later than planned a freeze may be struck without holding up the rest. */
const PATIENCE_ACKS = 25;

/**
 * Strikes each blow of a plan once its number of acknowledgements has been reached, as soon as it can be felt:
 *
 * - a receiver is killed the moment that it has acknowledged something, with other deliveries half received;
 * - a worker is frozen in the middle of its work, and while no other one is: they take over what it held. Where the one
 *   that was planned is idle or starting, the next one is frozen in its place.
 */
export class Blows {
  /** What befell the server, for the judge. */
  readonly struck: Struck[] = [];
  readonly troubles: string[] = [];
  readonly #crew: Crew;
  readonly #host: Host;
  readonly #runs: Runs;
  #left: readonly Blow[];
  #server: Promise<void> = Promise.resolve();
  #serverIsDown = false;

  constructor(blows: readonly Blow[], crew: Crew, host: Host, runs: Runs) {
    this.#left = blows;
    this.#crew = crew;
    this.#host = host;
    this.#runs = runs;
  }

  get left(): number {
    return this.#left.length;
  }

  /** Something was acknowledged, by this receiver. */
  acknowledged(acks: number, receiver: number): void {
    this.#left = this.#left.filter((blow) => blow.afterAcks > acks || !this.#strike(blow, receiver));
  }

  /** Whether sending should wait, lest the deliveries be over before a freeze has had its turn. */
  isBehind(acks: number): boolean {
    const overdue = this.#left.some(({ kind, afterAcks }) => kind === "freeze" && afterAcks + PATIENCE_ACKS < acks);
    return overdue && this.#crew.isFrozen("worker");
  }

  /** Nothing more will be acknowledged: strikes the kills that waited for it. A freeze would no longer be felt. */
  async end(): Promise<void> {
    const kills = this.#left.filter(({ kind }) => kind !== "freeze");
    this.#left = this.#left.filter(({ kind }) => kind === "freeze");
    for (const blow of kills) {
      await this.#server;
      if (blow.kind === "kill") this.#crew.kill(blow.target);
      else this.#killServer();
    }
    await this.#server;
  }

  /** Says whether it could be struck. */
  #strike(blow: Blow, receiver: number): boolean {
    const crew = this.#crew;
    if (blow.kind === "kill server") return this.#killServer();
    const { target } = blow;
    if (blow.kind === "kill") {
      if (target.role === "receiver" && target.index !== receiver) return false;
      crew.kill(target);
      return true;
    }
    if (crew.isFrozen(target.role)) return false;
    const felt = crew.slotsFrom(target).find((slot) => this.#isAtWork(slot));
    if (felt) crew.freeze(felt, blow.ms);
    return felt !== undefined;
  }

  #isAtWork(slot: Slot): boolean {
    const process = this.#crew.processAt(slot);
    if (process === undefined) return false;
    return slot.role === "receiver" || this.#runs.inProgress(process) >= AT_WORK;
  }

  #killServer(): boolean {
    const { killServer } = this.#host;
    if (this.#serverIsDown || !killServer) return !killServer;
    this.#serverIsDown = true;
    this.#server = killServer().then(
      (struck) => {
        this.struck.push(struck);
        this.#serverIsDown = false;
      },
      (error: unknown) => {
        this.troubles.push(`the server did not come back: ${error}`);
      },
    );
    return true;
  }
}
