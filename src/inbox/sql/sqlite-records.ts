import type { NewRecord, Recorded } from "../record.ts";
import { insertInFile } from "./insert-in-file.ts";
import { SqlRecords } from "./sql-records.ts";

/** Records in a SQLite file. */
export class SqliteRecords extends SqlRecords {
  override insert(
    deliveries: readonly (readonly NewRecord[])[],
  ): readonly (readonly Recorded[])[] | Promise<readonly (readonly Recorded[])[]> {
    const { dialect } = this.database;
    return this.database.run(() => insertInFile(dialect, this.database.now(), deliveries));
  }
}
