/**
 * The environment for a process that a spec starts: ours, but for the coverage, which is that of this process. Another one
 * may compile the sources another way, and what it covers would be counted at the wrong lines. Left out, the variable would
 * be handed on by Node.
 */
export function childEnv(more: Readonly<Record<string, string | undefined>> = {}): NodeJS.ProcessEnv {
  return { ...process.env, ...more, NODE_V8_COVERAGE: undefined };
}
