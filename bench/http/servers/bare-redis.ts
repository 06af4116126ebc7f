import type { Server } from "node:http";
import { bareRedis } from "../../storing/bare-redis.ts";
import { GroupCommit } from "../../storing/group-commit.ts";
import { recordOf } from "../../storing/rows.ts";
import { handled, keeping } from "./keeping.ts";

export { handled };

export function server(port: string): Server {
  const commits = new GroupCommit(64, bareRedis(Number(port)));
  return keeping(({ event, body, signature }) => commits.add(recordOf("bench", event.id, body, signature)));
}
