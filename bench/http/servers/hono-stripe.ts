import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { constructed, handled } from "./stripe-sdk.ts";

export { handled };

export function server(): Server {
  const app = new Hono();
  app.post("/stripe", async (context) => {
    const body = await context.req.text();
    if (!constructed(body, context.req.header("stripe-signature"))) return context.text("", 400);
    return context.json({ received: true });
  });
  return createAdaptorServer({ fetch: app.fetch }) as Server;
}
