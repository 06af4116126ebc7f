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

/**
 * Has the commands of a client forget what they were told once they are answered. ioredis writes functions right into
 * properties of its commands; V8 puts such functions into its old space, and with them the command and its arguments, bodies
 * of deliveries among them, until the next major turn of the garbage collector.
 */
export function forgetArguments(client: Redis): void {
  const send = client.sendCommand.bind(client);
  const forgetful: Redis["sendCommand"] = (command, stream) => {
    const forget = (): void => {
      command.args.length = 0;
    };
    command.promise.then(forget, forget);
    return send(command, stream);
  };
  client.sendCommand = forgetful;
}

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
