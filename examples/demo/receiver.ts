import { createHub, type Hub, type Logger } from "hookbus";
import { nodeHandler } from "hookbus/node";
import { type Buses, makeBuses, type Setup } from "./buses.ts";
import { type RunningServer, serve } from "./server.ts";
import type { Demo } from "./subscribers.ts";

export interface Receiver extends RunningServer, Buses {
  readonly hub: Hub;
}

/** Takes deliveries over HTTP, and records them. Somebody else works them off. */
export async function startReceiver(setup: Setup, port: number, logger: Logger, demo: Demo): Promise<Receiver> {
  const buses = makeBuses(setup, logger, demo);
  const hub = createHub(buses.all);
  const server = await serve(nodeHandler(hub), port);
  const close = async (): Promise<void> => {
    await server.close();
    await buses.inbox.close();
  };
  return { ...buses, url: server.url, close, hub };
}
