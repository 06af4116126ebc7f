import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Step } from "hookbus";
import type { Setup } from "./buses.ts";
import { Crew } from "./crew.ts";
import { type Delivery, deliveries } from "./deliveries.ts";
import { rsaKeyPair } from "./keys.ts";
import { bookings } from "./ledger.ts";
import type { News } from "./news.ts";
import { complaint, type Observation, row, summary } from "./outcome.ts";
import { startReceiver } from "./receiver.ts";
import { startStandin } from "./standin.ts";
import { table } from "./table.ts";

/*
 * Sends real HTTP deliveries to a real receiver, whose worker is a process of its own and dies twice, and prints what came
 * of each. Exits with 0 only when every one of them was answered, and every subscriber called, exactly as it must be.
 */

const DEADLINE_MS = 60_000;
const deadline = setTimeout(() => {
  console.error(`The demo did not end within ${DEADLINE_MS / 1000} seconds.`);
  process.exit(1);
}, DEADLINE_MS);

const silent = { info() {}, warn() {}, error() {} };
const webhookKey = rsaKeyPair();
const legacyKey = rsaKeyPair();
const folder = await mkdtemp(join(tmpdir(), "hookbus-demo-"));
const standin = await startStandin();
const setup: Setup = {
  apiBase: standin.url,
  webhookKey: webhookKey.publicKey,
  privateSignature: legacyKey.privateKey,
  path: join(folder, "inbox.db"),
};
const receiver = await startReceiver(setup, 0, silent, { see() {}, crash() {} });

let receipt: Step | undefined;
receiver.notifications.subscribe("hookbus.receive", (step) => {
  receipt = step;
});
let news: Observation["news"][number][] = [];
let heard: () => void = () => {};
const crew = new Crew(setup, (each) => {
  news.push(each);
  heard();
});
crew.start("sound");

const ENDED = ["done", "dead", "ignored"];
const isEnd = (each: News | { kind: "killed" }): boolean => each.kind === "attempt" && ENDED.includes(each.outcome);

async function send(delivery: Delivery): Promise<Observation> {
  news = [];
  if (delivery.crash) await crew.doom();
  if (delivery.outage) standin.failOnce();
  const response = await fetch(receiver.url + receiver.hub.paths[delivery.to], {
    method: "POST",
    headers: { "content-type": "application/json", ...delivery.headers },
    body: new Uint8Array(delivery.body),
  });
  await response.arrayBuffer();
  // The sender has its answer by now; what was queued, the worker still has before it.
  while (receipt?.outcome === "queued" && !news.some(isEnd)) {
    await new Promise<void>((resolve) => {
      heard = resolve;
    });
  }
  return { status: response.status, receipt, news };
}

try {
  const rows: string[][] = [];
  const complaints: string[] = [];
  const acknowledged: string[] = [];
  const all = deliveries({ webhookPrivateKey: webhookKey.privateKey, privateSignature: legacyKey.privateKey });
  for (const delivery of all) {
    const observation = await send(delivery);
    const actual = summary(observation);
    if (actual.outcome === "queued") acknowledged.push(`${delivery.to}:${observation.receipt?.id}`);
    rows.push(row(delivery, actual));
    const wrong = complaint(delivery, actual);
    if (wrong) complaints.push(wrong);
  }
  await crew.close();
  const booked = await bookings(setup.path);
  const lost = acknowledged.filter((key) => !booked.has(key)).length;
  const twice = [...booked.values()].filter((times) => times > 1).length;
  console.log(table(["Delivery", "Status", "Outcome", "What the subscribers saw (! failed, † killed)"], rows));
  if (complaints.length > 0) console.log(`\nNot as it must be:\n\n${complaints.join("\n")}`);
  console.log(`\n${acknowledged.length} events were acknowledged: ${lost} lost, ${twice} booked twice.`);
  console.log(`${all.length - complaints.length} of ${all.length} deliveries were handled as they must be.`);
  process.exitCode = complaints.length + lost + twice > 0 ? 1 : 0;
} finally {
  await crew.close();
  await receiver.close();
  await standin.close();
  await rm(folder, { recursive: true, force: true });
  clearTimeout(deadline);
}
