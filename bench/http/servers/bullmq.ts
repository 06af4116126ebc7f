import type { Server } from "node:http";
import { Queue } from "bullmq";
import { handled, keeping } from "./keeping.ts";

export { handled };

export function server(port: string): Server {
  const queue = new Queue("bench", { connection: { host: "127.0.0.1", port: Number(port) } });
  return keeping(({ event }) => queue.add("event", event, { jobId: event.id }));
}
