import * as delivery from "./delivery-scripts.ts";
import * as management from "./management-scripts.ts";

interface Script {
  readonly numberOfKeys: number;
  readonly lua: string;
}

const script = (lua: string): Script => ({ numberOfKeys: 1, lua });

export type ScriptName =
  | "hookbusRemember"
  | "hookbusKeepBody"
  | "hookbusBegin"
  | "hookbusWrite"
  | "hookbusReplay"
  | "hookbusDiscard"
  | "hookbusPurge"
  | "hookbusFind"
  | "hookbusGet"
  | "hookbusCount";

/** The scripts by the names under which a client knows them. */
export const SCRIPTS: Readonly<Record<ScriptName, Script>> = {
  hookbusRemember: script(delivery.remember),
  hookbusKeepBody: script(delivery.keepBody),
  hookbusBegin: script(delivery.begin),
  hookbusWrite: script(delivery.write),
  hookbusReplay: script(management.replay),
  hookbusDiscard: script(management.discard),
  hookbusPurge: script(management.purge),
  hookbusFind: script(management.find),
  hookbusGet: script(management.get),
  hookbusCount: script(management.count),
};
