import { objectionTo } from "../bus/patterns.ts";
import { ConfigurationError } from "../errors.ts";
import { type Names, refuseUnknown } from "../known-options.ts";
import type { Endpoint } from "../receiver/endpoint.ts";
import type { Mount } from "../receiver/request.ts";

/** What every handler takes. */
export interface HandlerOptions {
  /** The only path served, `"/webhooks/stripe"`: all of the URL's, compared exactly. Default: whatever comes here. */
  readonly path?: string | undefined;
  /**
   * How long the whole body may take to arrive, in milliseconds.
   * @default 10_000
   */
  readonly bodyTimeoutMs?: number | undefined;
  /**
   * Patterns of the only event types delivered through this mount; others are acknowledged and ignored. Pins the type
   * where the provider does not sign it, `{ types: ["push"] }` for GitHub: then what is ignored is used up, so that it
   * cannot come again as another type.
   */
  readonly types?: readonly string[] | undefined;
}

export interface HandlerSettings {
  readonly path: string | undefined;
  readonly bodyTimeoutMs: number;
  readonly mount: Mount;
}

/** What a timer can wait for: beyond it, Node's fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const NAMES: Names<Required<HandlerOptions>> = { path: true, bodyTimeoutMs: true, types: true };

/**
 * Throws `TypeError` for a thing that is no bus and no hub, `ConfigurationError` for an option that cannot be.
 *
 * @param more the options of one adapter alone, which sees to them.
 */
export function handlerSettings(
  endpoint: Endpoint,
  options: HandlerOptions = {},
  more: Readonly<Record<string, true>> = {},
): HandlerSettings {
  if (typeof endpoint?.respond !== "function") throw new TypeError("`endpoint` must be a bus or a hub");
  refuseUnknown("", options, { ...NAMES, ...more });
  const { path, bodyTimeoutMs = 10_000, types } = options;
  if (path !== undefined && !path.startsWith("/")) {
    throw new ConfigurationError('`path` must begin with a slash, as in "/webhooks/stripe"');
  }
  if (!(bodyTimeoutMs > 0 && bodyTimeoutMs <= LONGEST_TIMER_MS)) {
    throw new ConfigurationError(`\`bodyTimeoutMs\` must be above zero and at most ${LONGEST_TIMER_MS} milliseconds`);
  }
  if (types !== undefined && !(Array.isArray(types) && types.every((pattern) => typeof pattern === "string"))) {
    throw new ConfigurationError('`types` must be a list of patterns, as in ["push", "issues."]');
  }
  const objection = types?.map(objectionTo).find((each) => each !== undefined);
  if (objection !== undefined) throw new ConfigurationError(`a pattern of \`types\` ${objection}`);
  return { path, bodyTimeoutMs, mount: { types } };
}
