import { closeSync, openSync, readSync, writeSync } from "node:fs";

/*
 * What the subscribers did, as they say so themselves, in a file that all processes append to. A line is one `write` and
 * is in the kernel's hands when it returns, so that it outlives a process that is killed the moment after. No line knows
 * anything of the inbox.
 */

/** How a run of a subscriber ended, as far as it got to say so. */
export type Ending =
  /** It did its work. */
  | "ok"
  /** It failed as planned. */
  | "planned"
  /** It failed otherwise, without effect: its transaction was rolled back. */
  | "undone";

export type Line =
  | {
      readonly kind: "start";
      readonly run: string;
      readonly event: string;
      readonly subscriber: string;
      /** The process, which is another one after every restart. */
      readonly process: string;
      readonly at: number;
    }
  | { readonly kind: "end"; readonly run: string; readonly ending: Ending; readonly at: number }
  /** A sign of life that every worker gives ten times a second. */
  | { readonly kind: "pulse"; readonly process: string; readonly at: number };

export class JournalWriter {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, "a");
  }

  write(line: Line): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

/** Reads what has been appended since it was last asked. */
export class JournalReader {
  readonly #file: number;
  readonly #buffer = Buffer.alloc(1 << 20);
  #rest = "";

  constructor(path: string) {
    this.#file = openSync(path, "a+");
  }

  read(): readonly Line[] {
    let text = this.#rest;
    for (;;) {
      const bytes = readSync(this.#file, this.#buffer, 0, this.#buffer.length, null);
      if (bytes === 0) break;
      text += this.#buffer.toString("latin1", 0, bytes);
    }
    const lines = text.split("\n");
    this.#rest = lines.pop() ?? "";
    return lines.map((line) => JSON.parse(line) as Line);
  }

  close(): void {
    closeSync(this.#file);
  }
}
