import { Worker } from "bullmq";
import type { Engine } from "../worker.ts";
import { CONCURRENCY } from "./hookbus.ts";

export function engineOf(port: string): Engine {
  const connection = { host: "127.0.0.1", port: Number(port) };
  return {
    async start(finished) {
      const worker = new Worker("bench", async () => finished(), { connection, concurrency: CONCURRENCY });
      worker.on("error", console.error);
      return () => worker.close();
    },
  };
}
