import type { Receipt } from "../receiver/receipt.ts";
import { linger } from "./linger.ts";
import type { NodeRequest, NodeResponse } from "./node-types.ts";
import { together } from "./together.ts";

/**
 * Writes a receipt, beside those of requests that came at the same time: one `writeHead` and one `end`. Does nothing where an answer was begun or nobody is left to read it.
 *
 * A request that has not arrived in full (refused before its body was read, too large, too slow) costs the connection:
 * there is no telling where the next request would begin.
 */
export async function answer(req: NodeRequest, res: NodeResponse, receipt: Receipt): Promise<void> {
  await together();
  // An answer may be ready while Node is in the midst of the very packet that holds the rest of the request.
  if (!req.complete) await new Promise((resolve) => setImmediate(resolve));
  write(req, res, receipt);
}

function write(req: NodeRequest, res: NodeResponse, receipt: Receipt): void {
  if (res.headersSent || res.writableEnded || res.destroyed) return;

  const { status, body } = receipt;
  const headers: Record<string, string | number> = { ...receipt.headers };
  const bodiless = status === 204 || status === 304;
  // Bytes, not characters.
  if (!bodiless) headers["content-length"] = Buffer.byteLength(body);
  // As text, which Node sends in one piece with the headers; of bytes it makes two.
  const visible = bodiless || req.method === "HEAD" ? undefined : body;

  if (req.complete || req.stream) {
    res.writeHead(status, headers);
    res.end(visible);
    // HTTP/2 gives up the one stream, and keeps the connection.
    if (!req.complete) req.stream?.close();
    return;
  }
  headers["connection"] = "close";
  res.writeHead(status, headers);
  if (visible) res.write(visible);
  else res.flushHeaders?.();
  linger(req, res);
}
