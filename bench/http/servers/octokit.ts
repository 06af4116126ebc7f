import { createServer, type Server } from "node:http";
import { createNodeMiddleware, Webhooks } from "@octokit/webhooks";
import { SECRET } from "../../deliveries/delivery.ts";
import { QUIET } from "../../deliveries/receiving.ts";

export const handled = { count: 0 };

export function server(): Server {
  const log = { ...QUIET, debug() {} };
  const webhooks = new Webhooks({ secret: SECRET, log });
  webhooks.on("push", async () => {
    handled.count += 1;
  });
  return createServer(createNodeMiddleware(webhooks, { path: "/stripe", log }));
}
