import { Logger, run } from "graphile-worker";
import { Pool } from "pg";
import { POSTGRES_URL } from "../../storing/postgres.ts";
import type { Engine } from "../worker.ts";
import { CONCURRENCY } from "./hookbus.ts";

export function engineOf(schema: string): Engine {
  const pgPool = new Pool({ connectionString: POSTGRES_URL, max: 10 });
  return {
    async start(finished) {
      const runner = await run({
        pgPool,
        schema,
        concurrency: CONCURRENCY,
        noHandleSignals: true,
        logger: new Logger(() => () => undefined),
        taskList: { bench: async () => finished() },
      });
      return () => runner.stop();
    },
  };
}
