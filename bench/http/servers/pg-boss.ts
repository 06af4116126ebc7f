import type { Server } from "node:http";
import PgBoss from "pg-boss";
import { POSTGRES_URL } from "../../storing/postgres.ts";
import { handled, keeping } from "./keeping.ts";

export { handled };

export async function server(schema: string): Promise<Server> {
  const boss = new PgBoss({ connectionString: POSTGRES_URL, schema, max: 10 });
  boss.on("error", console.error);
  await boss.start();
  await boss.createQueue("bench");
  return keeping(({ event }) => boss.send("bench", event));
}
