import { createServer, type IncomingMessage, type Server } from "node:http";
import { SECRET } from "../../deliveries/delivery.ts";
import { verified } from "../../deliveries/floor.ts";

/** A delivery that was verified, to be kept before it is answered. */
export interface Kept {
  readonly body: Buffer;
  readonly signature: string;
  readonly event: { readonly id: string };
}

export const handled = { count: 0 };

const ANSWER = Buffer.from('{"received":true}');
const HEADERS = { "content-type": "application/json", "content-length": ANSWER.byteLength };

/** The floor's server, which answers when `keep` has. */
export function keeping(keep: (delivery: Kept) => Promise<unknown>): Server {
  return createServer((req, res) => {
    take(req, keep).then(
      (status) => {
        if (status !== 200) return void res.writeHead(status).end();
        handled.count += 1;
        res.writeHead(200, HEADERS);
        res.end(ANSWER);
      },
      (error: unknown) => {
        console.error(error);
        res.writeHead(500).end();
      },
    );
  });
}

async function take(req: IncomingMessage, keep: (delivery: Kept) => Promise<unknown>): Promise<number> {
  const body = await bodyOf(req);
  const signature = req.headers["stripe-signature"] as string;
  if (!verified(body, signature, SECRET)) return 400;
  await keep({ body, signature, event: JSON.parse(body.toString()) });
  return 200;
}

function bodyOf(req: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    req.on("data", (chunk: Buffer) => chunks.push(chunk));
    req.on("end", () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    req.on("error", reject);
  });
}
