import { Pool } from "pg";
import { postgresInbox } from "../../../dist/inbox/postgres.js";
import { POSTGRES_URL } from "../../storing/postgres.ts";
import type { Engine } from "../worker.ts";
import { deliveringFrom } from "./hookbus.ts";

export function engineOf(schema: string): Engine {
  return deliveringFrom(postgresInbox({ pool: new Pool({ connectionString: POSTGRES_URL }), schema }));
}
