import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rsaKeyPair } from "./keys.ts";
import { startReceiver } from "./receiver.ts";
import { startStandin } from "./standin.ts";

/* The demo's receiver, kept running, with its worker: on port 3000, or on `PORT`. Ends well on SIGINT and SIGTERM. */

const folder = await mkdtemp(join(tmpdir(), "hookbus-demo-"));
const standin = await startStandin();
const setup = {
  apiBase: standin.url,
  webhookKey: rsaKeyPair().publicKey,
  privateSignature: rsaKeyPair().privateKey,
  path: join(folder, "inbox.db"),
};
const receiver = await startReceiver(setup, Number(process.env["PORT"] ?? 3000), console, {
  see: ({ subscriber, type }) => console.log(`  ${subscriber} got ${type}`),
  crash() {},
}).catch(async (error: unknown) => {
  await standin.close();
  throw error;
});
receiver.notifications.subscribe("hookbus.receive", ({ bus, id = "", status, outcome }) => {
  console.log(`${bus}: ${status} ${outcome} ${id}`);
});
for (const bus of receiver.all) receiver.inbox.work(bus);

console.log(`Listening on ${receiver.url}, paths ${Object.values(receiver.hub.paths).join(", ")} and /health.`);
console.log("Send it a signed event:\n");
console.log(`  npx tsx examples/demo/send.ts ${receiver.url}/stripe\n`);

async function stop(): Promise<void> {
  await receiver.close();
  await standin.close();
  await rm(folder, { recursive: true, force: true });
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop());
