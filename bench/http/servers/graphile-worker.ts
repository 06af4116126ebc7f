import type { Server } from "node:http";
import { Logger, makeWorkerUtils } from "graphile-worker";
import { POSTGRES_URL } from "../../storing/postgres.ts";
import { handled, keeping } from "./keeping.ts";

export { handled };

export async function server(schema: string): Promise<Server> {
  const logger = new Logger(() => () => undefined);
  const utils = await makeWorkerUtils({ connectionString: POSTGRES_URL, schema, maxPoolSize: 10, logger });
  await utils.migrate();
  return keeping(({ event }) => utils.addJob("bench", event, { jobKey: event.id }));
}
