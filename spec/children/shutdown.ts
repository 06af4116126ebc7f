import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { memoryInbox } from "../../src/inbox/memory.ts";
import { closeOnSignal } from "../../src/shutdown.ts";
import { aRecord, DONE, ScriptedBus } from "../inbox/scripted-bus.ts";

/* A process with a server and a worker in mid-delivery, which is asked to end. Tells its parent what happens. */

const tell = (what: unknown): void => void process.send?.(what);
const fate = process.argv[2] as "finishes" | "hangs" | "fails" | "undone";

const server = createServer((_, response) => response.end("here"));
server.listen(0, "127.0.0.1");
await once(server, "listening");

const inbox = memoryInbox();
const bus = new ScriptedBus("shop", async () => {
  tell("running");
  await once(process, "SIGUSR2");
  if (fate === "hangs") await new Promise(() => {});
  tell("finished");
  return DONE;
});
await inbox.record([aRecord("shop")]);
inbox.work(bus);

const failing = { close: () => Promise.reject(new Error("it would not close")) };
const undo = closeOnSignal(fate === "fails" ? [server, failing, inbox] : [server, inbox], {
  graceMs: fate === "hangs" ? 50 : 20_000,
  onError: (error) => tell((error as Error).message),
});
if (fate === "undone") undo();
// What keeps a process alive besides.
setInterval(() => undefined, 60_000);
tell({ port: (server.address() as AddressInfo).port });
