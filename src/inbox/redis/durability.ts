import { ConfigurationError } from "../../errors.ts";

/** What is asked of a server before anything is entrusted to it. */
export interface RedisSettings {
  /** What it answers to `INFO`. */
  readonly info: string;
  /** Its `appendfsync`; absent where it does not let itself be asked. */
  readonly appendfsync: string | undefined;
}

const REMEDY = "or set `allowVolatile: true` where records may be lost";

/** Throws `ConfigurationError` for a server that could lose what was acknowledged. */
export function assertDurable({ info, appendfsync }: RedisSettings): void {
  if (fieldOf(info, "aof_enabled") !== "1") {
    throw new ConfigurationError(
      `this Redis server keeps no append-only file and would lose what was acknowledged: set \`appendonly yes\` and \`appendfsync always\` there, ${REMEDY}`,
    );
  }
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
  const policy = fieldOf(info, "maxmemory_policy");
  if (policy !== undefined && policy !== "noeviction") {
    throw new ConfigurationError(
      `this Redis server may drop records when its memory is full (\`maxmemory-policy ${policy}\`): set \`maxmemory-policy noeviction\` there, ${REMEDY}`,
    );
  }
}

/** The oldest server whose commands are all that is needed. */
const OLDEST = [6, 2] as const;

/** Throws `ConfigurationError` for a server that is too old. */
export function assertRecent(info: string): void {
  const version = fieldOf(info, "redis_version") ?? "";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new ConfigurationError(
    `an inbox needs Redis ${OLDEST.join(".")} or later: this server is ${version || "older"}`,
  );
}

function fieldOf(info: string, field: string): string | undefined {
  return new RegExp(`^${field}:(.*?)\\r?$`, "m").exec(info)?.[1];
}
