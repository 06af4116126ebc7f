import type { Logger } from "../bus/logger.ts";
import { ConfigurationError } from "../errors.ts";
import { refuseUnknown } from "../known-options.ts";
import type { Endpoint } from "./endpoint.ts";
import { pathOf } from "./path.ts";
import { type Receipt, refused } from "./receipt.ts";
import type { BodyReader, Mount, RequestHead } from "./request.ts";

/** What a hub needs of a bus. */
export interface HubBus extends Endpoint {
  readonly name: string;
  /** Whether the bus could take a delivery now: set up well, and its store answers. */
  isUp(): Promise<boolean>;
}

export interface HubOptions {
  /** What stands before every path, such as `/webhooks`; default: nothing. */
  readonly prefix?: string;
}

/** Several buses under one handler: each at `/` + its name, and `GET /health` for whoever watches. */
export interface Hub extends Endpoint {
  /** The path of each bus, by its name. */
  readonly paths: Readonly<Record<string, string>>;
}

/** Mounts `buses` under one handler: `createHub([StripeEvent, ConektaEvent])` serves `/stripe`, `/conekta`, `/health`. */
export function createHub(buses: readonly HubBus[], options: HubOptions = {}): Hub {
  refuseUnknown("", options, { prefix: true });
  const { prefix = "" } = options;
  if (prefix !== "" && !/^(?:\/[\w.~-]+)+$/.test(prefix)) {
    throw new ConfigurationError("`prefix` of a hub must be a path such as `/webhooks`, without a slash at its end");
  }
  if (!Array.isArray(buses)) throw new TypeError("`buses` must be a list: createHub([StripeEvent])");
  if (buses.length === 0) throw new ConfigurationError("a hub needs a bus: createHub([StripeEvent])");
  const mounted = new Map<string, HubBus>();
  for (const bus of buses) {
    const path = `${prefix}/${bus.name}`;
    if (mounted.has(path)) {
      throw new ConfigurationError(`two buses of the hub are named "${bus.name}": give each a \`name\` of its own`);
    }
    if (bus.name === "health") throw new ConfigurationError('a bus of a hub cannot be named "health"');
    mounted.set(path, bus);
  }
  return {
    paths: Object.fromEntries([...mounted].map(([path, bus]) => [bus.name, path])),
    /** What concerns no single bus goes to the first one's log. */
    get logger(): Logger {
      return buses[0]?.logger ?? console;
    },
    assertReady() {
      for (const bus of buses) bus.assertReady();
    },
    async open() {
      await Promise.all(buses.map((bus) => bus.open?.()));
    },
    async respond(head: RequestHead, readBody: BodyReader, mount?: Mount): Promise<Receipt | undefined> {
      const path = head.path ?? pathOf(head.url);
      if (path === `${prefix}/health`) return health(head.method, buses);
      return mounted.get(path)?.respond(head, readBody, mount);
    },
  };
}

/** Up or down, and nothing else: whoever can reach a webhook endpoint is not necessarily an operator. */
async function health(method: string, buses: readonly HubBus[]): Promise<Receipt> {
  if (method !== "GET" && method !== "HEAD") return refused(405, "rejected", { allow: "GET, HEAD" });
  const up = (await Promise.all(buses.map((bus) => bus.isUp()))).every(Boolean);
  return {
    status: up ? 200 : 503,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
    body: up ? '{"status":"up"}' : '{"status":"down"}',
    outcome: up ? "handled" : "failed",
  };
}
