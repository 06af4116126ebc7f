import { createServer, type Server } from "node:http";
import { createWebhookMiddleware } from "@hookflo/tern/express";
import express from "express";
import { SECRET } from "../../deliveries/delivery.ts";

export const handled = { count: 0 };

export function server(): Server {
  const app = express();
  const verify = createWebhookMiddleware({ platform: "stripe", secret: SECRET });
  app.post(
    "/stripe",
    express.raw({ type: "*/*" }),
    (req, res, next) => void verify(req, res as never, next),
    (_req, res) => {
      handled.count += 1;
      res.json({ received: true });
    },
  );
  return createServer(app);
}
