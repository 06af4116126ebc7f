import { systemClock } from "../../clock.ts";
import { Batch } from "../polled/batch.ts";
import type { RecordState } from "../record.ts";
import { AT_ONCE } from "./lua.ts";
import type { InboxServer } from "./server.ts";

export interface RedisWriterOptions {
  readonly server: InboxServer;
  readonly prefix: string;
  readonly queue: string;
  readonly leaseMs: number;
}

/** That a subscriber is done. */
export interface Mark {
  readonly subscriber: string;
  readonly how: "done" | "rejected";
  readonly at: number;
}

/** What an attempt has come to. */
export interface Written {
  readonly id: string;
  readonly token: string;
  readonly marks: readonly Mark[];
  /** How it ended; nothing where it still runs. */
  readonly end?: End | undefined;
}

interface End {
  /** The state in which the record ended, or whether it is due `again`; `unbegun`: as if it had not been begun. */
  readonly comes: RecordState | "again" | "unbegun";
  readonly at: number;
  readonly due: number;
  /** Its number among all attempts of the record. */
  readonly total: number;
  readonly attempt: string;
}

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
    for (const { id, token, marks, end } of items) {
      const { comes = "", at = 0, due = 0, total = 0, attempt = "" } = end ?? {};
      args.push(id, token, comes, String(at), String(due), String(total), attempt, String(marks.length));
      for (const mark of marks) args.push(mark.subscriber, mark.how, String(mark.at));
    }
    const answers = await server.ask(({ redis }) => redis.runCommand("hookbusWrite", args));
    return (answers as readonly (readonly [1, 0 | 1] | readonly [0, string])[]).map(([well, answer]) =>
      well === 1 ? answer === 1 : new Error(answer),
    );
  }
}
