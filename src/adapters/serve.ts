import type { Endpoint } from "../receiver/endpoint.ts";
import { pathOf } from "../receiver/path.ts";
import { refused } from "../receiver/receipt.ts";
import type { RequestHead } from "../receiver/request.ts";
import { answer } from "./answer.ts";
import { type RawBodyHint, readBody } from "./body.ts";
import { checkAfterBoot } from "./boot.ts";
import type { NodeHandler, NodeRequest, NodeResponse } from "./node-types.ts";
import { type HandlerOptions, handlerSettings } from "./options.ts";
import { reportFault } from "./report.ts";

/** The handler of everything built on `node:http`: frameworks differ in the advice they need, not in the work. */
export function nodeServing(endpoint: Endpoint, options: HandlerOptions | undefined, hint: RawBodyHint): NodeHandler {
  const { path, bodyTimeoutMs, mount } = handlerSettings(endpoint, options);
  checkAfterBoot(endpoint);

  return async (req, res, next) => {
    try {
      const url = req.originalUrl ?? req.url ?? "";
      const receipt =
        path === undefined || pathOf(url) === path
          ? await endpoint.respond(
              headOf(req, url),
              (maxBytes) => readBody(req, { maxBytes, timeoutMs: bodyTimeoutMs }, hint),
              mount,
            )
          : undefined;
      if (receipt) await answer(req, res, receipt);
      else if (next) next();
      else await answer(req, res, refused(404, "rejected"));
    } catch (error) {
      reportFault(endpoint.logger, error);
      await answerFault(req, res);
    }
  };
}

function headOf(req: NodeRequest, url: string): RequestHead {
  return {
    method: req.method ?? "",
    url,
    // A router that keeps the original URL has taken its mount path off the other.
    path: req.originalUrl === undefined ? undefined : pathOf(req.url ?? ""),
    headers: req.headers,
    ip: req.socket?.remoteAddress,
  };
}

/** The last resort. Does nothing where an answer is on its way. */
async function answerFault(req: NodeRequest, res: NodeResponse): Promise<void> {
  try {
    await answer(req, res, refused(500, "failed"));
  } catch {
    res.destroy();
  }
}
