import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import { needPostgres, POSTGRES_URL } from "../../support/servers.ts";
import { openStorage, type Place, type Storage } from "./storage.ts";

export interface Engine {
  readonly name: Place["engine"];
  /** In a `before` hook: ends the suite as pending where the engine is not there. */
  need(suite: Mocha.Context): Promise<void>;
  /** A new, empty database. `drop` what it gives in the end. */
  make(): Promise<Storage & { drop(): Promise<void> }>;
}

const MAKE_EFFECT = "CREATE TABLE effect (text text NOT NULL)";

export const ENGINES: readonly Engine[] = [
  {
    name: "SQLite",
    need: async () => {},
    make: async () => {
      const folder = mkdtempSync(join(tmpdir(), "hookbus-faults-"));
      const storage = await openStorage({ engine: "SQLite", path: join(folder, "inbox.db") });
      await storage.query(MAKE_EFFECT);
      return withDrop(storage, async () => rmSync(folder, { recursive: true, force: true }));
    },
  },
  {
    name: "PostgreSQL",
    need: needPostgres,
    make: async () => {
      const schema = `hookbus_${randomBytes(6).toString("hex")}`;
      const administrator = new Pool({ connectionString: POSTGRES_URL, max: 1 });
      await administrator.query(`CREATE SCHEMA ${schema}`);
      const storage = await openStorage({ engine: "PostgreSQL", url: POSTGRES_URL, schema });
      await storage.query(MAKE_EFFECT);
      return withDrop(storage, async () => {
        await administrator.query(`DROP SCHEMA ${schema} CASCADE`);
        await administrator.end();
      });
    },
  },
];

function withDrop(storage: Storage, remove: () => Promise<void>): Storage & { drop(): Promise<void> } {
  return {
    ...storage,
    drop: async () => {
      await storage.close();
      await remove();
    },
  };
}
