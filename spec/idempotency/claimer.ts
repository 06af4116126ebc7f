import { sqliteIdempotency } from "../../src/idempotency/sqlite.ts";

// A process of its own: opens the file when it is told to, claims as many keys as it is told, and says which it got.
const [, , path, count] = process.argv;

process.once("message", async () => {
  const store = sqliteIdempotency({ path: path as string });
  const claimed: string[] = [];
  for (let index = 0; index < Number(count); index += 1) {
    const key = `bus:evt_${index}`;
    const claim = await store.claim(key, { leaseMs: 60_000, fingerprint: "f" });
    if (claim.state !== "claimed") continue;
    claimed.push(key);
    await store.complete(claim.token);
  }
  await store.close();
  process.send?.(claimed, () => process.disconnect());
});

process.send?.("ready");
