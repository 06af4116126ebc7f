/**
 * A server that is timed does not rewrite its append-only file meanwhile: that takes a core of the two that there may be, for
 * seconds, at the cost of whoever's turn it is.
 */
export const STEADY = { "--auto-aof-rewrite-percentage": "0" } as const;
