import type { Redis, RedisOptions } from "ioredis";
import type { OwnOptions, Peers } from "./peers.ts";

const OURS = {
  lazyConnect: false,
  enableReadyCheck: true,
  enableAutoPipelining: false,
  commandTimeout: undefined,
  stringNumbers: false,
  replyMapping: "legacy",
  retryStrategy: (times) => Math.min(25 * 2 ** Math.min(times, 8), 2_000),
  // After a failover: the server at this address is no longer the one to write to.
  reconnectOnError: (error) => error.message.startsWith("READONLY"),
} satisfies OwnOptions;

/** A command fails at once where it cannot be sent, and where its connection is lost: the provider delivers again. */
export const REQUESTS: OwnOptions = {
  ...OURS,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
};

/** What BullMQ wants of a connection on which it waits for jobs. */
const WAITS: OwnOptions = {
  ...OURS,
  enableOfflineQueue: true,
  autoResendUnfulfilledCommands: true,
  maxRetriesPerRequest: null,
};

/** A connection that BullMQ waits on. It may reconnect while it is being closed, and must not outlive that. */
export class WaitingConnection {
  readonly client: Redis;
  #ended = false;

  constructor(peers: Peers, own: RedisOptions | undefined) {
    const retryStrategy = (times: number): number | null => (this.#ended ? null : OURS.retryStrategy(times));
    this.client = peers.connect({ ...own, ...WAITS, retryStrategy });
    // BullMQ listens no more once it has closed.
    this.client.on("error", () => undefined);
    this.client.on("ready", () => {
      if (this.#ended) this.client.disconnect();
    });
  }

  end(): void {
    this.#ended = true;
    this.client.disconnect();
  }
}

/** What waits for the connection. */
export class Gate {
  readonly opened: Promise<void>;
  isOpen = false;
  #resolve = (): void => undefined;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  open(): void {
    this.isOpen = true;
    this.#resolve();
  }
}
