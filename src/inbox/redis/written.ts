import type { RecordState } from "../record.ts";

/** That a subscriber is done. */
export interface Mark {
  readonly subscriber: string;
  readonly how: "done" | "rejected";
  readonly at: number;
}

/** What an attempt has come to. */
export interface Written {
  readonly id: string;
  readonly token: string;
  readonly marks: readonly Mark[];
  /** How it ended; nothing where it still runs. */
  readonly end?: End | undefined;
}

interface End {
  /** The state in which the record ended, or whether it is due `again`; `unbegun`: as if it had not been begun. */
  readonly comes: RecordState | "again" | "unbegun";
  readonly at: number;
  readonly due: number;
  /** Its number among all attempts of the record. */
  readonly total: number;
  readonly attempt: string;
}

/** As scripts are told of it. */
export function writtenArgs({ id, token, marks, end }: Written): string[] {
  const { comes = "", at = 0, due = 0, total = 0, attempt = "" } = end ?? {};
  const args = [id, token, comes, String(at), String(due), String(total), attempt, String(marks.length)];
  for (const mark of marks) args.push(mark.subscriber, mark.how, String(mark.at));
  return args;
}
