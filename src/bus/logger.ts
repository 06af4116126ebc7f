import { isThenable } from "../thenable.ts";

/** Where the operator reads. `console` fits, and so does any logger that takes a message and then fields. */
export interface Logger {
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

/** Writes a line. A logger that fails, now or later, loses it, and never a request or the process. */
export function writeLine(logger: Logger, level: keyof Logger, message: string, fields: object): void {
  shielded(() => logger[level](message, fields));
}

/** Calls what the operator handed in to be told. What it throws or rejects with is its affair, and changes nothing. */
export function shielded(call: () => unknown): void {
  try {
    unheard(call());
  } catch {
    // There is nowhere left to say it.
  }
}

/** Nobody hears what becomes of a promise; whatever is none is left alone. May throw what its `then` throws. */
export function unheard(result: unknown): void {
  // Not `instanceof Promise`: a thenable need not be one, and each realm has a class of its own.
  if (!isThenable(result)) return;
  const settled: unknown = result.then(nothing, nothing);
  // A `then` that is async rejects on its own account.
  if (isThenable(settled)) settled.then(nothing, nothing);
}

function nothing(): void {}

/**
 * What may be said of an error in a log: its class, its code, and the line that threw it. Messages stay out, because
 * those of parsers and subscribers quote payloads; `onError` gets the error itself.
 */
export function describeError(error: unknown): { error: string; code?: string; at?: string } {
  const described: { error: string; code?: string; at?: string } = { error: classOf(error) };
  if (!isError(error)) return described;
  const code = codeOf(error);
  if (code !== undefined) described.code = code;
  const at = frameOf(error);
  if (at) described.at = at;
  return described;
}

/** The class of an error, or what kind of thing it is that is none. */
export function classOf(error: unknown): string {
  return isError(error) ? (wordOf(error, "name") ?? "Error") : typeof error;
}

/** The code of what was thrown, if it has one. */
export function codeOf(error: unknown): string | undefined {
  return wordOf(error, "code");
}

/** A field of what was thrown; nothing where it cannot be read. */
export function fieldOf(error: unknown, field: string): unknown {
  try {
    return (error as Record<string, unknown> | null | undefined)?.[field];
  } catch {
    // A getter, or a proxy's trap.
    return undefined;
  }
}

/** Whether `error` is an instance. A proxy that was revoked throws when it is asked. */
export function isOne<T>(error: unknown, type: abstract new (...args: never[]) => T): error is T {
  try {
    return error instanceof type;
  } catch {
    return false;
  }
}

function isError(error: unknown): error is Error {
  return isOne(error, Error);
}

/**
 * What names and codes of errors look like: "ECONNREFUSED", "23505", "card_declined", "messaging/invalid-argument". Whoever throws
 * may set them to text of a payload: to sentences, addresses, URLs, or the long numbers of cards, phones and people.
 */
const WORD = /^(?!.*\d{9})[\w$./-]+$/;
const WORD_LENGTH = 64;

function wordOf(error: unknown, field: "name" | "code"): string | undefined {
  const word = fieldOf(error, field);
  return typeof word === "string" && word.length <= WORD_LENGTH && WORD.test(word) ? word : undefined;
}

/** The first line of the stack that is none of the message's, which may look like one. */
function frameOf(error: Error): string | undefined {
  const stack = fieldOf(error, "stack");
  const message = fieldOf(error, "message");
  if (typeof stack !== "string" || typeof message !== "string") return undefined;
  // A stack keeps the message that it was made with: where another was set since, nobody knows where that ends.
  if (message === "") return /^[\w$.]*\n\s+at (.+)/.exec(stack)?.[1];
  const start = stack.indexOf(message);
  return start === -1 ? undefined : /\n\s+at (.+)/.exec(stack.slice(start + message.length))?.[1];
}
