import { ConfigurationError } from "../errors.ts";

const REMEDY = "or set `allowVolatile: true` where it may be lost";

/**
 * Throws `ConfigurationError` for a server that would forget what it was told: when it restarts, or when its memory is
 * full. `info` is what it answers to `INFO`.
 */
export function assertKeeps(info: string): void {
  if (fieldOf(info, "aof_enabled") !== "1") {
    throw new ConfigurationError(
      `this Redis server keeps no append-only file and would forget what was acknowledged when it restarts: set \`appendonly yes\` there, ${REMEDY}`,
    );
  }
  const policy = fieldOf(info, "maxmemory_policy");
  if (policy !== "noeviction") {
    throw new ConfigurationError(
      `this Redis server evicts keys when its memory is full (\`maxmemory-policy ${policy ?? "unknown"}\`), and could forget what was acknowledged: set \`maxmemory-policy noeviction\` there, ${REMEDY}`,
    );
  }
}

/**
 * Throws `ConfigurationError` for a server that answers before what it was told is on its disk. `appendfsync` is that
 * setting of its; absent where it does not let itself be asked.
 */
export function assertSyncs(appendfsync: string | undefined): void {
  if (appendfsync === undefined) {
    throw new ConfigurationError(
      `this Redis server does not say how it writes to its disk: allow \`CONFIG GET appendfsync\`, which must be \`always\`, ${REMEDY}`,
    );
  }
  if (appendfsync !== "always") {
    const loss = appendfsync === "everysec" ? "the last second of" : "any amount of";
    throw new ConfigurationError(
      `this Redis server has \`appendfsync ${appendfsync}\` and could lose ${loss} what was acknowledged: set \`appendfsync always\` there, ${REMEDY}`,
    );
  }
}

/** Whether a server refuses a command: managed ones refuse some to everybody, or do not know them. */
export function isForbidden(error: unknown): boolean {
  return /^(?:NOPERM|ERR unknown command)/.test(String((error as Error | undefined)?.message));
}

/** A line of what a server answers to `INFO`. */
export function fieldOf(info: string, field: string): string | undefined {
  return new RegExp(`^${field}:(.*?)\\r?$`, "m").exec(info)?.[1];
}
