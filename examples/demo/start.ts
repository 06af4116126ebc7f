import { rsaKeyPair } from "./keys.ts";
import { startReceiver } from "./receiver.ts";
import { startStandin } from "./standin.ts";

/* The demo's receiver, kept running: on port 3000, or on `PORT`. Ends well on SIGINT and SIGTERM. */

const standin = await startStandin();
const receiver = await startReceiver({
  apiBase: standin.url,
  webhookKey: rsaKeyPair().publicKey,
  privateSignature: rsaKeyPair().privateKey,
  port: Number(process.env["PORT"] ?? 3000),
  logger: console,
  see: ({ subscriber, type }) => console.log(`  ${subscriber} got ${type}`),
}).catch(async (error: unknown) => {
  await standin.close();
  throw error;
});
receiver.notifications.subscribe("hookbus.receive", ({ bus, id = "", status, outcome }) => {
  console.log(`${bus}: ${status} ${outcome} ${id}`);
});

console.log(`Listening on ${receiver.url}, paths ${Object.values(receiver.hub.paths).join(", ")} and /health.`);
console.log("Send it a signed event:\n");
console.log(`  npx tsx examples/demo/send.ts ${receiver.url}/stripe\n`);

async function stop(): Promise<void> {
  await receiver.close();
  await standin.close();
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void stop());
