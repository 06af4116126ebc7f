import type { Server } from "node:http";
import { bareSqlite } from "../../storing/bare-sqlite.ts";
import { GroupCommit } from "../../storing/group-commit.ts";
import { recordOf } from "../../storing/rows.ts";
import { handled, keeping } from "./keeping.ts";

export { handled };

export async function server(path: string): Promise<Server> {
  const database = await bareSqlite(path);
  const commits = new GroupCommit(64, (group) => database.insert(group));
  return keeping(({ event, body, signature }) => commits.add(recordOf("bench", event.id, body, signature)));
}
