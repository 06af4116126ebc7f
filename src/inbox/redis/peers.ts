import type * as BullMQ from "bullmq";
import type { Redis, RedisOptions } from "ioredis";
import { ConfigurationError } from "../../errors.ts";
import { importPeer } from "../../peer.ts";

/** A client of `ioredis`, its options, or a URL. */
export type RedisConnection = Redis | RedisOptions | string;

/** What a connection is set to whatever the user's own is set to: all that decides how answers come, and when. */
export type OwnOptions = RedisOptions & { readonly replyMapping: "legacy" };

/** The packages that an inbox on Redis needs. */
export interface Peers {
  readonly bullmq: typeof BullMQ;
  /** Opens another connection to the user's server. */
  connect(own: OwnOptions): Redis;
}

const NEED = "An inbox on Redis";

/** Throws `ConfigurationError` for what cannot be meant. */
export function assertConnection(connection: unknown): void {
  if (typeof connection === "string" && /^rediss?:\/\//.test(connection)) return;
  if (typeof connection !== "object" || connection === null) {
    throw new ConfigurationError(
      "`connection` must be a URL (`redis://…`), a client of ioredis, or its options: is the environment variable set?",
    );
  }
  const { isCluster, duplicate, defineCommand, options, keyPrefix } = connection as Readonly<Record<string, unknown>>;
  if (typeof duplicate === "function" && typeof defineCommand !== "function") {
    throw new ConfigurationError("`connection` must be a client of ioredis: new Redis(url)");
  }
  if (isCluster === true) throw new ConfigurationError("`connection` must be one server, and not a cluster");
  if (keyPrefix || (options as { readonly keyPrefix?: unknown } | undefined)?.keyPrefix) {
    throw new ConfigurationError("`connection` must have no `keyPrefix`: use the `prefix` of the inbox");
  }
}

/** Rejects with `MissingPeerError` where one of them is not installed. */
export async function loadPeers(connection: RedisConnection): Promise<Peers> {
  const bullmq = await importPeer("bullmq", NEED, () => import("bullmq"));
  if (isClient(connection)) return { bullmq, connect: (own) => connection.duplicate(own) };
  const { Redis } = await importPeer("ioredis", NEED, () => import("ioredis"));
  return {
    bullmq,
    connect: (own) =>
      typeof connection === "string" ? new Redis(connection, own) : new Redis({ ...connection, ...own }),
  };
}

function isClient(connection: RedisConnection): connection is Redis {
  return typeof connection === "object" && typeof (connection as Partial<Redis>).duplicate === "function";
}
