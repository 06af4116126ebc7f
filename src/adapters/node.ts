import type { Endpoint } from "../receiver/endpoint.ts";
import type { RawBodyHint } from "./body.ts";
import type { NodeHandler } from "./node-types.ts";
import type { HandlerOptions } from "./options.ts";
import { nodeServing } from "./serve.ts";

export type { Next, NodeHandler, NodeRequest, NodeResponse } from "./node-types.ts";

export interface NodeHandlerOptions extends HandlerOptions {}

const HINT: RawBodyHint = {
  framework: "Node",
  remedy: "hand the request over unread, or hand over its raw bytes as req.rawBody",
};

/**
 * Serves a bus or a hub on a plain `node:http` server, or in front of a framework that gets what is not for it.
 *
 * ```ts
 * createServer(nodeHandler(StripeEvent, { path: "/webhooks/stripe" })).listen(3000);
 * ```
 *
 * A request for another path goes to `next` where there is one and is answered 404 otherwise. Throws
 * `ConfigurationError` for an option that cannot be; the handler itself never throws or rejects.
 */
export function nodeHandler(endpoint: Endpoint, options?: NodeHandlerOptions): NodeHandler {
  return nodeServing(endpoint, options, HINT);
}
