import type { NewRecord } from "../../dist/inbox/record.js";

/** As many as wait share one insert, and the next one gathers while it is under way. */
export class GroupCommit {
  readonly #insert: (group: readonly NewRecord[]) => void | Promise<void>;
  readonly #most: number;
  #waiting: { readonly record: NewRecord; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] =
    [];
  #flushing = false;

  constructor(most: number, insert: (group: readonly NewRecord[]) => void | Promise<void>) {
    this.#most = most;
    this.#insert = insert;
  }

  add(record: NewRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject });
      if (this.#flushing) return;
      this.#flushing = true;
      setImmediate(() => void this.#flush());
    });
  }

  async #flush(): Promise<void> {
    const group = this.#waiting.splice(0, this.#most);
    try {
      await this.#insert(group.map(({ record }) => record));
      for (const { resolve } of group) resolve();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
    if (this.#waiting.length > 0) setImmediate(() => void this.#flush());
    else this.#flushing = false;
  }
}
