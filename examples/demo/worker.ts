import { makeBuses, type Setup } from "./buses.ts";
import type { News } from "./news.ts";

/*
 * Delivers what the receiver recorded, in a process of its own, and tells its parent what its subscribers see. With
 * `doomed` it ends itself by SIGKILL in the middle of a delivery, as a power cut would.
 */

const setup = JSON.parse(process.argv[2] ?? "{}") as Setup;
const doomed = process.argv[3] === "doomed";

/** Resolves when the parent has it: what is told before the process dies must not die with it. */
const tell = (news: News): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(news, () => resolve());
  });

const silent = { info() {}, warn() {}, error() {} };
const { all, inbox, notifications } = makeBuses(setup, silent, {
  see: (sighting) => tell({ kind: "saw", ...sighting }),
  crash: () => {
    if (doomed) process.kill(process.pid, "SIGKILL");
  },
});
notifications.subscribe("hookbus.deliver", ({ outcome, subscriber = "" }) => {
  if (outcome === "failed") void tell({ kind: "failed", subscriber });
});
notifications.subscribe("hookbus.attempt", ({ outcome, id = "" }) => void tell({ kind: "attempt", outcome, id }));
for (const bus of all) inbox.work(bus, { pollMs: 50 });

process.once("disconnect", () => void inbox.close({ graceMs: 0 }));
