import { redisInbox } from "../../../dist/inbox/redis.js";
import type { Engine } from "../worker.ts";
import { deliveringFrom } from "./hookbus.ts";

export function engineOf(port: string): Engine {
  return deliveringFrom(redisInbox({ connection: { host: "127.0.0.1", port: Number(port) } }));
}
