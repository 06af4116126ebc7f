import type { Receipt } from "../receiver/receipt.ts";
import { linger } from "./linger.ts";
import type { NodeRequest, NodeResponse } from "./node-types.ts";

/**
 * Writes a receipt: one `writeHead` and one `end`. Does nothing where an answer was begun or nobody is left to read it.
 *
 * A request that has not arrived in full (refused before its body was read, too large, too slow) costs the connection:
 * there is no telling where the next request would begin.
 */
export async function answer(req: NodeRequest, res: NodeResponse, receipt: Receipt): Promise<void> {
  // A refusal may come while Node is in the midst of the very packet that holds the rest of the request.
  if (!req.complete) await new Promise((resolve) => setImmediate(resolve));
  if (res.headersSent || res.writableEnded || res.destroyed) return;

  const { status } = receipt;
  const body = Buffer.from(receipt.body);
  const headers: Record<string, string | number> = { ...receipt.headers };
  const bodiless = status === 204 || status === 304;
  // Bytes, not characters.
  if (!bodiless) headers["content-length"] = body.byteLength;
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
