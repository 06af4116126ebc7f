import { Logger, run } from "graphile-worker";
import { POSTGRES_URL } from "../../storing/postgres.ts";
import type { Engine } from "../worker.ts";
import { CONCURRENCY } from "./hookbus.ts";

export function engineOf(schema: string): Engine {
  return {
    async start(finished) {
      const runner = await run({
        connectionString: POSTGRES_URL,
        schema,
        concurrency: CONCURRENCY,
        maxPoolSize: 10,
        noHandleSignals: true,
        logger: new Logger(() => () => undefined),
        taskList: { bench: async () => finished() },
      });
      return () => runner.stop();
    },
  };
}
