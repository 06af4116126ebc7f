import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { SECRET } from "../../deliveries/delivery.ts";
import { verified } from "../../deliveries/floor.ts";

const ANSWER = Buffer.from('{"received":true}');
const HEADERS = { "content-type": "application/json", "content-length": ANSWER.byteLength };

export const handled = { count: 0 };

/** Written by hand for the one purpose: read, HMAC, parse, answer. */
export function handler(req: IncomingMessage, res: ServerResponse): void {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  req.on("end", () => {
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    if (!verified(body, req.headers["stripe-signature"] as string, SECRET)) {
      res.writeHead(400).end();
      return;
    }
    const event = JSON.parse(body.toString()) as { type: string };
    if (event.type) handled.count += 1;
    res.writeHead(200, HEADERS);
    res.end(ANSWER);
  });
}

export function server(): Server {
  return createServer(handler);
}
