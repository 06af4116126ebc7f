import { postgresInbox } from "../../src/inbox/postgres.ts";
import { needPostgres, type TestSchema, testSchema } from "../support/servers.ts";
import { inboxContract } from "./contract.ts";

describe("PostgreSQL", () => {
  let test: TestSchema;

  before(async function () {
    await needPostgres(this);
    test = await testSchema(20);
  });

  after(() => test?.drop());

  inboxContract({
    name: "postgresInbox",
    ordered: true,
    open: async (options) => postgresInbox({ ...options, pool: test.pool, schema: test.schema }),
    reset: async () => {
      const tables = ["hookbus_inbox", "hookbus_inbox_body", "hookbus_inbox_mark", "hookbus_inbox_attempt"];
      const { rows } = await test.pool.query("SELECT to_regclass($1) IS NOT NULL AS there", [
        `${test.schema}.hookbus_inbox`,
      ]);
      if (!rows[0].there) return;
      await test.pool.query(
        `TRUNCATE ${[...tables, "hookbus_inbox_audit"].map((table) => `${test.schema}.${table}`).join(", ")}`,
      );
    },
    takeAway: async (key) => {
      const table = `${test.schema}.hookbus_inbox`;
      await test.pool.query(`UPDATE ${table} SET fence = fence + 1, due_at = due_at + 3600000 WHERE key = $1`, [key]);
    },
  });
});
