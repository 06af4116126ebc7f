import type { Step } from "hookbus";
import { type Delivery, deliveries } from "./deliveries.ts";
import { rsaKeyPair } from "./keys.ts";
import { complaint, type Observation, row, summary } from "./outcome.ts";
import { startReceiver } from "./receiver.ts";
import { startStandin } from "./standin.ts";
import type { Sighting } from "./subscribers.ts";
import { table } from "./table.ts";

/*
 * Sends real HTTP deliveries to a real receiver and prints what came of each. Exits with 0 only when every one of them
 * was answered, and every subscriber called, exactly as it must be.
 */

const DEADLINE_MS = 60_000;
const deadline = setTimeout(() => {
  console.error(`The demo did not end within ${DEADLINE_MS / 1000} seconds.`);
  process.exit(1);
}, DEADLINE_MS);

const silent = { info() {}, warn() {}, error() {} };
const webhookKey = rsaKeyPair();
const legacyKey = rsaKeyPair();
const steps: Step[] = [];
const sightings: Sighting[] = [];

const standin = await startStandin();
const receiver = await startReceiver({
  apiBase: standin.url,
  webhookKey: webhookKey.publicKey,
  privateSignature: legacyKey.privateKey,
  port: 0,
  logger: silent,
  see: (sighting) => sightings.push(sighting),
});
receiver.notifications.subscribe("hookbus.", (step) => steps.push(step));

async function send(delivery: Delivery): Promise<Observation> {
  steps.length = 0;
  sightings.length = 0;
  if (delivery.outage) standin.failOnce();
  const response = await fetch(receiver.url + receiver.hub.paths[delivery.to], {
    method: "POST",
    headers: { "content-type": "application/json", ...delivery.headers },
    body: new Uint8Array(delivery.body),
  });
  await response.arrayBuffer();
  return { status: response.status, steps: [...steps], sightings: [...sightings] };
}

try {
  const rows: string[][] = [];
  const complaints: string[] = [];
  const all = deliveries({ webhookPrivateKey: webhookKey.privateKey, privateSignature: legacyKey.privateKey });
  for (const delivery of all) {
    const actual = summary(await send(delivery));
    rows.push(row(delivery, actual));
    const wrong = complaint(delivery, actual);
    if (wrong) complaints.push(wrong);
  }
  console.log(table(["Delivery", "Status", "Outcome", "What the subscribers saw"], rows));
  if (complaints.length > 0) console.log(`\nNot as it must be:\n\n${complaints.join("\n")}`);
  console.log(`\n${all.length - complaints.length} of ${all.length} deliveries were handled as they must be.`);
  process.exitCode = complaints.length > 0 ? 1 : 0;
} finally {
  await receiver.close();
  await standin.close();
  clearTimeout(deadline);
}
