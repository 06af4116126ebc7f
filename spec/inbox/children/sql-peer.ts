import { bytes, signed, stripeBus } from "../../receiver/harness.ts";
import { openStorage, type Place } from "../faults/storage.ts";
import { until } from "../scripted-bus.ts";

export interface PeerTask {
  readonly place: Place;
  /** The ids of the events that it takes; other peers may take some of them too. */
  readonly ids: readonly string[];
  /** How many events there will be in all. */
  readonly total: number;
}

/** Takes its deliveries, works beside its peers, and ends when all of the events are done. */
async function work({ place, ids, total }: PeerTask): Promise<void> {
  const storage = await openStorage(place);
  const inbox = storage.inbox();
  const bus = stripeBus();
  bus.inbox = inbox;
  bus.subscribe(
    "charge.",
    async ({ id }: { readonly id: string }, context) => {
      await context.transaction((tx) => storage.write(id, tx));
    },
    { name: "ledger" },
  );
  process.send?.("ready");
  await new Promise((resolve) => process.once("message", resolve));
  inbox.work(bus, { pollMs: 20 });
  const outcomes = await Promise.all(
    ids.map(async (id) => {
      const body = bytes({ id, object: "event", type: "charge.paid", data: { object: {} } });
      return (await bus.receive({ method: "POST", url: "/stripe", headers: signed(body), body })).outcome;
    }),
  );
  await until(async () => (await inbox.counts()).done === total);
  await storage.close();
  process.send?.(outcomes, () => process.disconnect());
}

const [, , task] = process.argv;
if (task?.startsWith("{")) await work(JSON.parse(task) as PeerTask);
