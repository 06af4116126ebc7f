import { createServer, type Server } from "node:http";
import express from "express";
import { constructed, handled } from "./stripe-sdk.ts";

export { handled };

export function server(): Server {
  const app = express();
  app.post("/stripe", express.raw({ type: "application/json" }), (req, res) => {
    if (constructed(req.body as Buffer, req.headers["stripe-signature"])) res.json({ received: true });
    else res.status(400).end();
  });
  return createServer(app);
}
