import type { Server } from "node:http";
import { Pool } from "pg";
import { postgresInbox } from "../../../dist/inbox/postgres.js";
import { bareInsert } from "../../storing/bare-postgres.ts";
import { GroupCommit } from "../../storing/group-commit.ts";
import { POSTGRES_URL } from "../../storing/postgres.ts";
import { recordOf } from "../../storing/rows.ts";
import { handled, keeping } from "./keeping.ts";

export { handled };

export async function server(schema: string): Promise<Server> {
  const pool = new Pool({ connectionString: POSTGRES_URL });
  await postgresInbox({ pool, schema }).ping();
  const client = await pool.connect();
  const commits = new GroupCommit(64, (group) => bareInsert(client, schema, group));
  return keeping(({ event, body, signature }) => commits.add(recordOf("bench", event.id, body, signature)));
}
