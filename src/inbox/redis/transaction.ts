import type { IRedisTransaction } from "bullmq";
import type { ScriptName } from "./scripts.ts";
import type { Asked } from "./server.ts";

/** What a server says of a script that it does not know, or no longer. */
const FORGOTTEN = "NOSCRIPT";

/** Commands that are carried out all or none, with nothing in between. */
export class Transaction {
  readonly #asked: Asked;
  readonly #redis: IRedisTransaction;
  #commands = 0;

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#redis = asked.redis.multi();
  }

  /** Adds what `add` adds: one command. */
  add(add: (redis: IRedisTransaction) => unknown): void {
    add(this.#redis);
    this.#commands += 1;
  }

  /** Adds a script, and says which of the results will be its own. */
  run(script: ScriptName, args: readonly string[]): number {
    this.#redis.runCommand(script, [...args]);
    this.#commands += 1;
    return this.#commands - 1;
  }

  /** Rejects where any of the commands failed. */
  async commit(): Promise<readonly unknown[]> {
    const results = await this.#redis.exec().catch((error: unknown) => {
      // Of a transaction that was not begun: what was wrong with it.
      const [first = error] = (error as { readonly previousErrors?: readonly unknown[] }).previousErrors ?? [];
      throw first;
    });
    if (!results) throw new Error("the transaction was not carried out");
    for (const [error] of results) {
      if (!error) continue;
      // A client sends a script once a connection, and does not notice in a transaction that it was forgotten.
      if (error.message.startsWith(FORGOTTEN)) this.#asked.reconnect();
      throw error;
    }
    return results.map(([, result]) => result);
  }
}

/** Whether a transaction failed for scripts that are sent anew on the connection that was opened for it. */
export function isForgotten(error: unknown): boolean {
  const { cause } = (error ?? {}) as { readonly cause?: unknown };
  return cause instanceof Error && cause.message.startsWith(FORGOTTEN);
}
