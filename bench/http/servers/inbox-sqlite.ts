import type { Server } from "node:http";
import { sqliteInbox } from "../../../dist/inbox/sqlite.js";
import { accepting, handled } from "./inbox.ts";

export { handled };

export function server(path: string): Server {
  return accepting(sqliteInbox({ path }));
}
