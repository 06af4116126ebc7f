import type { ForeignName } from "./foreign-steps.ts";

/** A script of BullMQ's, and what BullMQ tells it: its keys and its arguments. */
export interface ForeignCall {
  readonly script: ForeignName;
  readonly args: readonly unknown[];
}

/**
 * Calls of BullMQ's scripts, as one script is told of them. Those of one script have most of their arguments in common:
 * they are sent once, in a model, and of each call what is different from the one before.
 */
export class Calls {
  readonly #models: ForeignCall[] = [];
  /** The last call of each model. */
  readonly #before: ForeignCall[] = [];
  readonly #told: unknown[] = [];

  /** Adds a call, or none where nothing of BullMQ's is to be run, and what hookbus has to say to it. */
  add(call: ForeignCall | undefined, rest: readonly unknown[]): void {
    if (call) {
      let model = this.#models.findIndex(
        ({ script, args }) => script === call.script && args.length === call.args.length,
      );
      if (model < 0) model = this.#models.push(call) - 1;
      const different = differences((this.#before[model] ?? call).args, call.args);
      this.#before[model] = call;
      this.#told.push(model + 1, different.length / 2, ...different);
    } else this.#told.push(0, 0);
    this.#told.push(rest.length, ...rest);
  }

  /** As `CALLS` reads them. */
  get args(): unknown[] {
    const models = this.#models.flatMap(({ script, args }) => [script, args.length, ...args]);
    return [this.#models.length, ...models, ...this.#told];
  }
}

/** Where arguments differ from those before, counted from one, and what is there. */
function differences(before: readonly unknown[], args: readonly unknown[]): unknown[] {
  const different: unknown[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const [arg, other] = [args[index], before[index]];
    if (arg === other || (Buffer.isBuffer(arg) && Buffer.isBuffer(other) && arg.equals(other))) continue;
    different.push(index + 1, arg);
  }
  return different;
}
