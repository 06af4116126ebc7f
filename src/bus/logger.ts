/** Where the operator reads. `console` fits, and so does any logger that takes a message and then fields. */
export interface Logger {
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

/**
 * What may be said of an error in a log: its class, its code, and the line that threw it. Messages stay out, because
 * those of parsers and subscribers quote payloads; `onError` gets the error itself.
 */
export function describeError(error: unknown): { error: string; code?: string; at?: string } {
  if (!(error instanceof Error)) return { error: typeof error };
  const described: { error: string; code?: string; at?: string } = { error: error.name };
  if ("code" in error && typeof error.code === "string") described.code = error.code;
  const at = frameOf(error);
  if (at) described.at = at;
  return described;
}

/** The first line of the stack that is none of the message's, which may look like one. */
function frameOf({ stack = "", message }: Error): string | undefined {
  const start = stack.indexOf(message);
  return start === -1 ? undefined : /\n\s+at (.+)/.exec(stack.slice(start + message.length))?.[1];
}
