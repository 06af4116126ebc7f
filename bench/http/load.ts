import autocannon from "autocannon";
import { type Delivery, signed } from "../deliveries/delivery.ts";
import { TEMPLATES } from "../deliveries/events.ts";
import { quantile } from "../method/median.ts";

/** What the parent asks for. */
export interface Load {
  readonly port: number;
  readonly scheme: keyof typeof HEADERS;
  readonly connections: number;
  readonly amount: number;
}

/** What came of it. */
export interface Loaded {
  readonly seconds: number;
  readonly p99Ms: number;
  /** How many were answered with 2xx. */
  readonly accepted: number;
}

/** What each sender would put beside the body. */
const HEADERS = {
  stripe: ({ stripe }: Delivery) => ({ "stripe-signature": stripe }),
  github: ({ github, id }: Delivery) => ({
    "x-hub-signature-256": github,
    "x-github-event": "push",
    "x-github-delivery": id,
  }),
  standard: ({ standard }: Delivery) => ({ ...standard }),
};

process.on("message", (load: Load) => void send(load).then((loaded) => process.send?.(loaded)));
process.on("disconnect", () => process.exit());
process.send?.("ready");

/** Sends so many deliveries, all signed before the clock starts, over keep-alive connections. */
async function send({ port, scheme, connections, amount }: Load): Promise<Loaded> {
  const latencies: number[] = [];
  let accepted = 0;
  let ended = 0;
  const each = Math.ceil(amount / connections);
  await new Promise<void>((resolve, reject) => {
    const instance = autocannon(
      {
        url: `http://127.0.0.1:${port}/stripe`,
        connections,
        amount,
        // It looks every so often whether it is done.
        sampleInt: 10,
        setupClient: (client) => client.setRequests(Array.from({ length: each }, () => requestOf(scheme))),
      },
      (error) => (error ? reject(error) : resolve()),
    );
    instance.on("response", (_client, status, _bytes, ms) => {
      ended = performance.now();
      latencies.push(ms);
      if (status >= 200 && status < 300) accepted += 1;
    });
    started = performance.now();
  });
  return { seconds: (ended - started) / 1000, p99Ms: quantile(latencies, 0.99), accepted };
}

let started = 0;

function requestOf(scheme: Load["scheme"]): autocannon.Request {
  const delivery = signed(TEMPLATES["3 KB"]);
  const headers = { "content-type": "application/json", ...HEADERS[scheme](delivery) };
  return { method: "POST", path: "/stripe", headers, body: delivery.body };
}
