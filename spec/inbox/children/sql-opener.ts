import { openStorage, type Place } from "../faults/storage.ts";
import { aRecord } from "../scripted-bus.ts";

/** Opens an inbox that may not be there yet, at a word of its parent's, and records one event. */
async function open(place: Place): Promise<void> {
  const storage = await openStorage(place);
  process.send?.("ready");
  await new Promise((resolve) => process.once("message", resolve));
  const recorded = await storage.inbox().record([aRecord("shop")]);
  await storage.close();
  process.send?.(recorded, () => process.disconnect());
}

const [, , place] = process.argv;
if (place?.startsWith("{")) await open(JSON.parse(place) as Place);
