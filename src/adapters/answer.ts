import type { Receipt } from "../receiver/receipt.ts";
import { linger } from "./linger.ts";
import type { NodeRequest, NodeResponse } from "./node-types.ts";
import { sharedTurn, turn } from "./turn.ts";

/**
 * Writes a receipt, beside those of requests that came at the same time: one `writeHead` and one `end`. Does nothing where
 * an answer was begun or nobody is left to read it.
 *
 * A request that has not arrived in full (refused before its body was read, too large, too slow) costs the connection:
 * there is no telling where the next request would begin.
 */
export async function answer(req: NodeRequest, res: NodeResponse, receipt: Receipt): Promise<void> {
  await sharedTurn();
  // An answer may be ready while Node is in the midst of the very packet that holds the rest of the request.
  if (!req.complete) await turn();
  write(req, res, receipt);
}

function write(req: NodeRequest, res: NodeResponse, receipt: Receipt): void {
  if (res.headersSent || res.writableEnded || res.destroyed) return;

  const { status, body } = receipt;
  const bodiless = status === 204 || status === 304;
  const headers = bodiless ? { ...receipt.headers } : sized(receipt);
  // As text, which Node sends in one piece with the headers; of bytes it makes two.
  const visible = bodiless || req.method === "HEAD" ? undefined : body;

  if (req.complete || req.stream) {
    res.writeHead(status, headers);
    res.end(visible);
    // HTTP/2 gives up the one stream, and keeps the connection.
    if (!req.complete) req.stream?.close();
    return;
  }
  res.writeHead(status, { ...headers, connection: "close" });
  if (visible) res.write(visible);
  else res.flushHeaders?.();
  linger(req, res);
}

/**
 * The headers of a receipt, and how long its body is. A new object for each answer: middleware that wraps `writeHead` may
 * write into it.
 */
function sized({ headers, body }: Receipt): Record<string, string | number> {
  const made: Record<string, string | number> = { "content-length": 0, ...headers };
  // Bytes, not characters; and after the headers, which may hold another length.
  made["content-length"] = Buffer.byteLength(body);
  return made;
}
