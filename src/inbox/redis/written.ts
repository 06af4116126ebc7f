import type { RecordState } from "../record.ts";

/** What a worker writes about a record that it has. */
export interface Written {
  readonly id: string;
  readonly token: string;
  /** What becomes of it: nothing yet, it is due `again`, or the state in which it ends. */
  readonly comes: "" | "again" | RecordState;
  /** Its place in the order of recording. */
  readonly seq: string;
  readonly at: number;
  /** Fields and what is to be in them, one after the other. */
  readonly fields: readonly string[];
}

/** As scripts are told of it. */
export function writtenArgs({ id, token, comes, seq, at, fields }: Written): string[] {
  return [id, token, comes, seq, String(at), String(fields.length), ...fields];
}
