import type { Server } from "node:http";
import { redisInbox } from "../../../dist/inbox/redis.js";
import { accepting, handled } from "./inbox.ts";

export { handled };

export function server(port: string): Server {
  return accepting(redisInbox({ connection: { host: "127.0.0.1", port: Number(port) } }));
}
