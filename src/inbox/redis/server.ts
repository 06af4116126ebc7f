import type { IRedisClient } from "bullmq";
import type { Redis } from "ioredis";
import { assertKeeps, assertSyncs, fieldOf, isForbidden } from "../../databases/redis-durability.ts";
import { ConfigurationError, StoreUnavailableError } from "../../errors.ts";
import { forgetArguments, Gate, REQUESTS, WaitingConnection } from "./connections.ts";
import { fitForLogs, unanswered } from "./errors.ts";
import { ForeignScripts } from "./foreign-scripts.ts";
import { loadPeers, type Peers, type RedisConnection } from "./peers.ts";
import { SCRIPTS } from "./scripts.ts";

export interface InboxServerOptions {
  readonly connection: RedisConnection;
  readonly allowVolatile: boolean;
}

/** What there is while the server is asked. */
export interface Asked {
  readonly redis: IRedisClient;
  readonly client: Redis;
  readonly bullmq: Peers["bullmq"];
  readonly scripts: ForeignScripts;
  /** Gives the connection up for a new one. */
  reconnect(): void;
}

/** What BullMQ is made with. */
export interface Lendable {
  readonly redis: IRedisClient;
  readonly bullmq: Peers["bullmq"];
  readonly scripts: ForeignScripts;
}

/** Something of BullMQ's that has connections of its own, and what ends them. */
export interface Lent<T> {
  readonly made: T;
  end(): void;
}

/** A provider gives up on an answer after ten seconds or so (Stripe, GitHub): half of that leaves time to say 503. */
const LIMIT_MS = 5_000;

/** The connection of an inbox to its server. Nothing is opened before the first use. */
export class InboxServer {
  readonly #options: InboxServerOptions;
  #peers: Promise<Peers> | undefined;
  #client: Redis | undefined;
  #foreign: ForeignScripts | undefined;
  #ready = new Gate();
  #checked: Promise<void> | undefined;
  #lastError: unknown;
  #waiting: WaitingConnection[] = [];
  #closed = false;

  constructor(options: InboxServerOptions) {
    this.#options = options;
  }

  /**
   * Asks the server something. Rejects with `StoreUnavailableError` where it does not answer in time, and with
   * `ConfigurationError` where it is not one to be relied upon.
   */
  async ask<T>(question: (asked: Asked) => Promise<T>): Promise<T> {
    const peers = await this.#load();
    const client = this.#open(peers);
    let sent = false;
    let late = false;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        late = true;
        // A connection on which nothing has come back for so long is as good as lost.
        if (sent) this.#reconnect(client);
        const cause = this.#lastError === undefined ? undefined : fitForLogs(this.#lastError);
        reject(new StoreUnavailableError(`Redis did not answer within ${LIMIT_MS} ms`, { cause }));
      }, LIMIT_MS);
      timer.unref();
    });
    const answer = async (): Promise<T> => {
      await this.#ready.opened;
      sent = true;
      await this.#check(client);
      // Whoever asked has been told by then that nothing came of it.
      if (late) throw new StoreUnavailableError("Redis came back too late");
      const redis = peers.bullmq.createIORedisClient(client);
      const { bullmq } = peers;
      const scripts = this.#foreign as ForeignScripts;
      return await question({ redis, client, bullmq, scripts, reconnect: () => this.#reconnect(client) });
    };
    try {
      return await Promise.race([answer(), limit]);
    } catch (error) {
      throw unanswered(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Lets BullMQ make something that opens connections of its own. */
  async lend<T>(make: (lendable: Lendable) => T): Promise<Lent<T>> {
    const peers = await this.#load();
    const client = this.#open(peers);
    const redis = peers.bullmq.createIORedisClient(client);
    const waiting: WaitingConnection[] = [];
    this.#waiting = waiting;
    const made = make({ redis, bullmq: peers.bullmq, scripts: this.#foreign as ForeignScripts });
    const end = (): void => {
      for (const each of waiting) each.end();
    };
    return { made, end };
  }

  /** Ends the connection, and whatever waits for it. */
  close(): void {
    this.#closed = true;
    this.#client?.disconnect();
  }

  #load(): Promise<Peers> {
    this.#peers ??= loadPeers(this.#options.connection).catch((error: unknown) => {
      this.#peers = undefined;
      throw error;
    });
    return this.#peers;
  }

  #open(peers: Peers): Redis {
    if (this.#closed) throw new ConfigurationError("the inbox has been closed");
    if (this.#client) return this.#client;
    const client = peers.connect(REQUESTS);
    forgetArguments(client);
    this.#client = client;
    client.on("error", (error) => {
      this.#lastError = error;
    });
    client.on("ready", () => {
      this.#lastError = undefined;
      this.#ready.open();
    });
    client.on("close", () => this.#lost());
    this.#foreign = new ForeignScripts(client);
    for (const [name, script] of Object.entries(SCRIPTS)) client.defineCommand(name, script);
    client.duplicate = (own) => {
      const waiting = new WaitingConnection(peers, own);
      this.#waiting.push(waiting);
      return waiting.client;
    };
    return client;
  }

  #reconnect(client: Redis): void {
    if (!this.#ready.isOpen) return;
    this.#lost();
    client.disconnect(true);
  }

  #lost(): void {
    if (this.#ready.isOpen) this.#ready = new Gate();
    // It may be another server that answers next.
    this.#checked = undefined;
  }

  #check(client: Redis): Promise<void> {
    this.#checked ??= check(client, this.#options.allowVolatile).catch((error: unknown) => {
      this.#checked = undefined;
      throw error;
    });
    return this.#checked;
  }
}

async function check(client: Redis, allowVolatile: boolean): Promise<void> {
  const info = await client.info().catch((error: Error) => {
    if (!isForbidden(error)) throw error;
    throw new ConfigurationError("BullMQ needs the command `INFO`, which this Redis server refuses: allow it there");
  });
  assertRecent(info);
  if (allowVolatile) return;
  assertKeeps(info);
  const config = await client.config("GET", "appendfsync").catch((error: Error) => {
    if (!isForbidden(error)) throw error;
    return [];
  });
  assertSyncs((config as readonly string[])[1]);
}

/** The oldest server whose commands are all that is needed. */
const OLDEST = [6, 2] as const;

/** Throws `ConfigurationError` for a server that is too old. */
function assertRecent(info: string): void {
  const version = fieldOf(info, "redis_version") ?? "";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new ConfigurationError(
    `an inbox needs Redis ${OLDEST.join(".")} or later: this server is ${version || "older"}`,
  );
}
