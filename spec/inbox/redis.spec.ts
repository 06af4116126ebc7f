import { Redis } from "ioredis";
import { redisInbox } from "../../src/inbox/redis.ts";
import { jobIdOf, queueOf } from "../../src/inbox/redis-keys.ts";
import { needRedisServer, RedisServerProcess } from "../support/redis-server.ts";
import { inboxContract } from "./contract.ts";

describe("Redis", () => {
  let server: RedisServerProcess;
  let redis: Redis;

  before(async function () {
    needRedisServer(this);
    server = await RedisServerProcess.start();
    redis = new Redis(server.url);
  });

  after(async () => {
    redis?.disconnect();
    await server?.remove();
  });

  inboxContract({
    name: "redisInbox",
    ordered: false,
    open: async (options) => redisInbox({ ...options, connection: server.url }),
    reset: async () => {
      await redis.flushall();
    },
    takeAway: async (key) => {
      const bus = key.slice(0, key.indexOf(":"));
      await redis.set(`hookbus-inbox:${queueOf(bus)}:${jobIdOf(key)}:lock`, "another worker", "PX", 3_600_000);
    },
  });
});
