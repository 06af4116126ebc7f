import type { RecordState } from "../record.ts";

/** What a worker writes about a record that it has. */
export interface Written {
  readonly id: string;
  readonly token: string;
  /** The state that it ends in; empty where it does not. */
  readonly comes: "" | RecordState;
  /** Its place in the order of recording. */
  readonly seq: string;
  /** Fields and what is to be in them, one after the other. */
  readonly fields: readonly string[];
}

/** As scripts are told of it. */
export function writtenArgs({ id, token, comes, seq, fields }: Written): string[] {
  return [id, token, comes, seq, String(fields.length), ...fields];
}
