import { createServer, type Server } from "node:http";
import express from "express";
import { expressHandler } from "../../../dist/adapters/express.js";
import { bus, handled } from "./hookbus.ts";

export { handled };

export function server(): Server {
  const app = express();
  app.post("/stripe", expressHandler(bus));
  return createServer(app);
}
