import type { Server } from "node:http";
import { Pool } from "pg";
import { postgresInbox } from "../../../dist/inbox/postgres.js";
import { POSTGRES_URL } from "../../storing/postgres.ts";
import { accepting, handled } from "./inbox.ts";

export { handled };

export function server(schema: string): Server {
  return accepting(postgresInbox({ pool: new Pool({ connectionString: POSTGRES_URL }), schema }));
}
