import type { Endpoint } from "../receiver/endpoint.ts";
import { pathOf } from "../receiver/path.ts";
import { type Receipt, refused } from "../receiver/receipt.ts";
import { checkAfterBoot } from "./boot.ts";
import { type HandlerOptions, handlerSettings } from "./options.ts";
import { reportFault } from "./report.ts";
import { readWebBody } from "./web-body.ts";

export interface FetchHandlerOptions extends HandlerOptions {
  /** The peer's address, which a Web `Request` does not hold. Take it from the platform, never from a header. */
  readonly ip?: ((request: Request) => string | undefined) | undefined;
}

/** Never rejects. */
export type FetchHandler = (request: Request) => Promise<Response>;

/**
 * Serves a bus or a hub wherever a Web `Request` comes in and a `Response` goes out: route handlers of
 * frameworks on Node, say.
 *
 * ```ts
 * export const POST = fetchHandler(StripeEvent);
 * ```
 *
 * A request for another path is answered 404. Throws `ConfigurationError` for an option that cannot be.
 */
export function fetchHandler(endpoint: Endpoint, options: FetchHandlerOptions = {}): FetchHandler {
  const { path, bodyTimeoutMs, mount } = handlerSettings(endpoint, options, { ip: true });
  checkAfterBoot(endpoint);

  return async (request) => {
    try {
      const { method, url } = request;
      const receipt =
        path === undefined || pathOf(url) === path
          ? await endpoint.respond(
              { method, url, headers: Object.fromEntries(request.headers), ip: options.ip?.(request) },
              (maxBytes) => readWebBody(request, { maxBytes, timeoutMs: bodyTimeoutMs }),
              mount,
            )
          : undefined;
      return toResponse(receipt ?? refused(404, "rejected"), method);
    } catch (error) {
      reportFault(endpoint.logger, error);
      return toResponse(refused(500, "failed"), request.method);
    }
  };
}

/** `Response` throws for a body with a status that has none. */
function toResponse({ status, headers, body }: Receipt, method: string): Response {
  const bodiless = method === "HEAD" || status === 204 || status === 304;
  return new Response(bodiless ? null : body, { status, headers });
}
