import { createServer, type Server } from "node:http";
import { Webhook } from "standardwebhooks";
import { SECRET } from "../../deliveries/delivery.ts";

export const handled = { count: 0 };

export function server(): Server {
  const webhook = new Webhook(SECRET);
  return createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => {
      try {
        webhook.verify(Buffer.concat(chunks), req.headers as Record<string, string>);
        handled.count += 1;
        res.writeHead(200, { "content-type": "application/json" }).end('{"received":true}');
      } catch {
        res.writeHead(400).end();
      }
    });
  });
}
