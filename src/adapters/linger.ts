import type { NodeRequest, NodeResponse } from "./node-types.ts";

/** How long an answered client may go on sending. */
const LINGER_MS = 1_000;

/** How much of it is read, and thrown away. */
const LINGER_BYTES = 256 * 1024;

/**
 * Ends a response that is written in full while its request is still coming in.
 *
 * Ended at once, Node would close the socket with unread bytes in it: the kernel then resets the connection, and a
 * client that sends first and reads later never sees why. So the rest is drained for a moment, within bounds, as
 * web servers do under the name of "lingering close".
 */
export function linger(req: NodeRequest, res: NodeResponse): void {
  let left = LINGER_BYTES;
  const onData = (chunk: Uint8Array | string): void => {
    // Characters, where somebody set an encoding: text has no `byteLength`, and a bound need not be exact.
    left -= chunk.length;
    if (left <= 0) req.pause();
  };
  const finish = (): void => {
    clearTimeout(timer);
    req.off("data", onData).off("end", finish);
    res.off("close", finish);
    res.end();
  };
  const timer = setTimeout(finish, LINGER_MS);
  req.on("data", onData).on("end", finish);
  res.on("close", finish);
  req.resume();
}
