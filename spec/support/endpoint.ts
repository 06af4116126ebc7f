import { EventEmitter, once } from "node:events";
import { HookbusError } from "../../src/errors.ts";
import type { Endpoint } from "../../src/receiver/endpoint.ts";
import { acknowledged, type Receipt, refused } from "../../src/receiver/receipt.ts";
import type { BodyReader, RequestHead } from "../../src/receiver/request.ts";

const STATUS: Readonly<Record<string, number>> = {
  HOOKBUS_BODY_TOO_LARGE: 413,
  HOOKBUS_BODY_TIMEOUT: 408,
  HOOKBUS_REQUEST_ABORTED: 400,
};

/** An endpoint without a pipeline: it takes what an adapter hands over, and remembers it. */
export class RecordingEndpoint extends EventEmitter implements Endpoint {
  maxBodyBytes = 64 * 1024;
  readonly heads: RequestHead[] = [];
  readonly bodies: Uint8Array[] = [];
  /** What the body reader rejected with. */
  readonly refusals: HookbusError[] = [];
  readonly errors: { message: string; fields: object | undefined }[] = [];
  readonly logger = {
    info: (): void => {},
    warn: (): void => {},
    error: (message: string, fields?: object): void => {
      this.errors.push({ message, fields });
      this.emit("logged");
    },
  };

  /** Answers before the body is read, where it returns something. */
  gate: (head: RequestHead) => Receipt | undefined = () => undefined;
  /** The answer to a body that was read. */
  reply: () => Receipt | undefined = () => acknowledged("handled");

  assertReady(): void {}

  open?(): Promise<void>;

  async respond(head: RequestHead, readBody: BodyReader): Promise<Receipt | undefined> {
    this.heads.push(head);
    if (head.method !== "POST") return refused(405, "rejected", { allow: "POST" });
    const early = this.gate(head);
    if (early) return early;
    try {
      this.emit("reading");
      this.bodies.push(await readBody(this.maxBodyBytes));
    } catch (error) {
      if (!(error instanceof HookbusError)) throw error;
      this.refusals.push(error);
      this.emit("refused");
      const status = STATUS[error.code] ?? 500;
      if (status === 500) this.logger.error(error.message, { code: error.code });
      return refused(status, status === 500 ? "failed" : "rejected");
    }
    return this.reply();
  }

  /** The bodies as text. */
  texts(): string[] {
    return this.bodies.map((body) => Buffer.from(body).toString());
  }

  /** Waits for the next `reading`, `refused` or `logged`. */
  async next(event: "reading" | "refused" | "logged"): Promise<void> {
    await once(this, event);
  }
}
