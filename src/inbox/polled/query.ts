import { ConfigurationError } from "../../errors.ts";
import type { RecordQuery } from "../inbox.ts";
import type { RecordState } from "../record.ts";

/** The states, in the order of a record's life. */
export const STATES: readonly RecordState[] = ["pending", "running", "done", "dead", "ignored", "discarded"];

const FIELDS = new Set(["bus", "state", "type", "id", "since", "until", "limit", "after"]);

/** A query with its times in milliseconds since 1970. */
export interface AskedQuery {
  readonly bus: string | undefined;
  readonly state: RecordState | undefined;
  readonly type: string | undefined;
  readonly id: string | undefined;
  readonly since: number | undefined;
  readonly until: number | undefined;
  readonly limit: number | undefined;
  readonly after: string | undefined;
}

/** Throws `ConfigurationError` for what cannot be meant: a misspelt field would otherwise mean every record. */
export function asked(query: RecordQuery): AskedQuery {
  for (const field of Object.keys(query)) {
    if (!FIELDS.has(field))
      throw new ConfigurationError(`a query has no \`${field}\`: it takes ${[...FIELDS].join(", ")}`);
  }
  const { bus, state, type, id, limit, after } = query;
  for (const [name, value] of Object.entries({ bus, type, id, after })) {
    if (value !== undefined && typeof value !== "string") throw new ConfigurationError(`\`${name}\` must be a string`);
  }
  if (state !== undefined && !STATES.includes(state)) {
    throw new ConfigurationError(`\`state\` must be one of ${STATES.join(", ")}`);
  }
  if (limit !== undefined && !(Number.isSafeInteger(limit) && limit > 0)) {
    throw new ConfigurationError("`limit` must be a whole number above zero");
  }
  return {
    bus,
    state,
    type,
    id,
    limit,
    after,
    since: timeOf("since", query.since),
    until: timeOf("until", query.until),
  };
}

function timeOf(name: string, value: Date | number | undefined): number | undefined {
  const time = value instanceof Date ? value.getTime() : value;
  if (time === undefined || Number.isFinite(time)) return time;
  throw new ConfigurationError(`\`${name}\` must be a Date, or milliseconds since 1970`);
}
