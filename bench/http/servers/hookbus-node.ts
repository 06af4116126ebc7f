import { createServer, type Server } from "node:http";
import { nodeHandler } from "../../../dist/adapters/node.js";
import { bus, handled } from "./hookbus.ts";

export { handled };

export function server(): Server {
  return createServer(nodeHandler(bus, { path: "/stripe" }));
}
