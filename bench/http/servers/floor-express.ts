import { createServer, type Server } from "node:http";
import express from "express";
import { handled, handler } from "./floor.ts";

export { handled };

/** The floor's handler, mounted: what Express itself costs. */
export function server(): Server {
  const app = express();
  app.post("/stripe", handler);
  return createServer(app);
}
