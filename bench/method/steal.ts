import { coreTime } from "./proc-stat.ts";

/** A slice in which more than this part of a core went to another machine says nothing. */
const TOO_MUCH = 0.06;

/** Starts to watch; the answer says whether too much was stolen since, to be asked before a result is looked at. */
export function watchSteal(): () => boolean {
  const stolen = stolenMs();
  const started = performance.now();
  return () => (stolenMs() - stolen) / (performance.now() - started) > TOO_MUCH;
}

function stolenMs(): number {
  return coreTime()?.stolen ?? 0;
}
