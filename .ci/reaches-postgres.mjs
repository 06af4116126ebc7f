import { Client } from "pg";

/* Ends with 0 where the specs could use the PostgreSQL server at the URL that is given. */

const client = new Client({ connectionString: process.argv[2], connectionTimeoutMillis: 2_000 });
try {
  await client.connect();
  await client.query("SELECT 1");
  await client.end();
} catch {
  process.exitCode = 1;
}
