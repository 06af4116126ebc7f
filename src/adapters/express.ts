import type { Endpoint } from "../receiver/endpoint.ts";
import type { RawBodyHint } from "./body.ts";
import type { NodeHandler } from "./node-types.ts";
import type { HandlerOptions } from "./options.ts";
import { nodeServing } from "./serve.ts";

export type { Next, NodeHandler, NodeRequest, NodeResponse } from "./node-types.ts";

/** `path` is compared with `req.originalUrl`: it holds the mount path of every router above. */
export interface ExpressHandlerOptions extends HandlerOptions {}

const HINT: RawBodyHint = {
  framework: "Express",
  remedy:
    'mount the handler before app.use(express.json()), or put express.raw({ type: "*/*" }) on this route and before it',
};

/**
 * Serves a bus or a hub in Express 4 or 5. It reads the raw body itself: mount it before `express.json()`.
 *
 * ```ts
 * app.post("/webhooks/stripe", expressHandler(StripeEvent));
 * app.use(express.json());
 * ```
 *
 * Throws `ConfigurationError` for an option that cannot be; the handler itself never throws or rejects.
 */
export function expressHandler(endpoint: Endpoint, options?: ExpressHandlerOptions): NodeHandler {
  return nodeServing(endpoint, options, HINT);
}
