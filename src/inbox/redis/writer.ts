import { systemClock } from "../../clock.ts";
import { Batch } from "../polled/batch.ts";
import { AT_ONCE } from "./lua.ts";
import type { InboxServer } from "./server.ts";
import { type Written, writtenArgs } from "./written.ts";

export interface RedisWriterOptions {
  readonly server: InboxServer;
  readonly prefix: string;
  readonly queue: string;
  readonly leaseMs: number;
}

type Answer = readonly [well: 1, held: 0 | 1] | readonly [well: 0, failure: string];

/** Writes down what the attempts of one queue come to; what they have at the same time, in one step. */
export class RedisWriter {
  readonly #options: RedisWriterOptions;
  readonly #batch: Batch<Written, boolean>;

  constructor(options: RedisWriterOptions) {
    this.#options = options;
    this.#batch = new Batch({
      flush: (items) => this.#flush(items),
      most: AT_ONCE,
      flights: 2,
      // What is written later than that is refused.
      timeoutMs: options.leaseMs,
      clock: systemClock,
    });
  }

  /** Whether the worker still had the record. Rejects where the server does not answer; then it may be written again. */
  write(written: Written): Promise<boolean> {
    return this.#batch.add(written);
  }

  async #flush(items: readonly Written[]): Promise<readonly (boolean | Error)[]> {
    const { server, prefix, queue } = this.#options;
    const args = [`${prefix}:${queue}:active`, prefix, queue];
    for (const written of items) args.push(...writtenArgs(written));
    const answers = await server.ask(({ redis }) => redis.runCommand("hookbusWrite", args));
    return (answers as readonly Answer[]).map(([well, answer]) => (well === 1 ? answer === 1 : new Error(answer)));
  }
}
