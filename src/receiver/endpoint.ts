import type { Logger } from "../bus/logger.ts";
import type { Receipt } from "./receipt.ts";
import type { BodyReader, Mount, RequestHead } from "./request.ts";

/** What a handler serves: a bus, or a hub of several. */
export interface Endpoint {
  /**
   * The answer to a request; `undefined` when its path is not one of this endpoint's. `readBody` is called at most
   * once, when method and endpoint authentication have been admitted. Never rejects.
   */
  respond(head: RequestHead, readBody: BodyReader, mount?: Mount): Promise<Receipt | undefined>;
  /** Called by every handler just after boot. Throws `ConfigurationError` when requests would meet a broken setup. */
  assertReady(): void;
  /**
   * Called by every handler just after boot, once it is ready: opens what a delivery would otherwise be the first to open.
   * Rejects where that fails; the next delivery tries again.
   */
  open?(): Promise<void>;
  readonly logger: Logger;
}
