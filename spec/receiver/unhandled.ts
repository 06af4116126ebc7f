import { setImmediate as macrotask } from "node:timers/promises";
import { runInNewContext } from "node:vm";

/** What nobody had handled by the time that `run`, and what it left to come, was over. */
export async function unhandledOf(run: () => unknown): Promise<unknown[]> {
  const found: unknown[] = [];
  const note = (reason: unknown): unknown => found.push(reason);
  const earlier = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", note);
  try {
    await run();
    for (let i = 0; i < 3; i++) await macrotask();
  } finally {
    process.off("unhandledRejection", note);
    for (const each of earlier) process.on("unhandledRejection", each);
  }
  return found;
}

const THEN = "then";
const trouble = (): Error => new Error("trouble");

/** Every way in which what an operator hands in may go wrong. */
export const TROUBLES: Readonly<Record<string, () => unknown>> = {
  "throws at once": () => {
    throw trouble();
  },
  rejects: () => Promise.reject(trouble()),
  "rejects later": async () => {
    await macrotask();
    throw trouble();
  },
  "rejects with a promise of another realm": runInNewContext("() => Promise.reject(new Error('trouble'))"),
  "returns a thenable that rejects": () => ({ [THEN]: (_: unknown, no: (error: Error) => void) => no(trouble()) }),
  "returns a thenable that can be called": () =>
    Object.assign(() => undefined, { [THEN]: (_: unknown, no: (error: Error) => void) => no(trouble()) }),
  "returns a thenable whose `then` throws": () => ({
    [THEN]: () => {
      throw trouble();
    },
  }),
  "returns a thenable whose `then` rejects": () => ({ [THEN]: () => Promise.reject(trouble()) }),
  "returns a thenable whose `then` is a getter that throws": () => ({
    get [THEN]() {
      throw trouble();
    },
  }),
  "returns a proxy that was revoked": () => revoked(),
};

/** What throws whatever is asked of it, `instanceof` included. */
export function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
