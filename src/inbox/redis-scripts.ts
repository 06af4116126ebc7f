import * as delivery from "./redis-delivery-scripts.ts";
import * as management from "./redis-management-scripts.ts";

const script = (lua: string) => ({ numberOfKeys: 1, lua }) as const;

/** The scripts by the names under which a client knows them. */
export const SCRIPTS = {
  hookbusRemember: script(delivery.remember),
  hookbusKeepBody: script(delivery.keepBody),
  hookbusBegin: script(delivery.begin),
  hookbusMarkDone: script(delivery.markDone),
  hookbusEndAttempt: script(delivery.endAttempt),
  hookbusReplay: script(management.replay),
  hookbusDiscard: script(management.discard),
  hookbusPurge: script(management.purge),
  hookbusFind: script(management.find),
  hookbusGet: script(management.get),
  hookbusCount: script(management.count),
};

export type ScriptName = keyof typeof SCRIPTS;
