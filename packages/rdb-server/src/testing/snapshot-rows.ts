import { type RegionId, index } from "@flaredb/rdb-base";
import { type Cursor, type SnapshotRow, indexedKey } from "@flaredb/rdb-storage";

/** Rows of keys from "k00000" on, with values of different lengths. */
export function someRows(count: number, valueBytes = 50): SnapshotRow[] {
  return Array.from({ length: count }, (_, i) => ({
    column: "data",
    key: Buffer.from(`k${String(i).padStart(5, "0")}`),
    value: Buffer.alloc(valueBytes + (i % 7), `v${i} `),
  }));
}

/** Rows of a Region's remembered answers. */
export function sessionRows(region: RegionId, count: number): SnapshotRow[] {
  return Array.from({ length: count }, (_, i) => ({
    column: "session",
    key: indexedKey(region, index(i + 1)),
    value: Buffer.from(`answer ${i}`),
  }));
}

/** A cursor over the rows of one column; `onClose` is called once. */
export function rowsCursor(
  rows: readonly SnapshotRow[],
  column: SnapshotRow["column"],
  onClose: () => void = () => {},
): Cursor {
  const own = rows.filter((row) => row.column === column);
  let at = 0;
  let isClosed = false;
  return {
    next(maxCount) {
      const page = own.slice(at, at + maxCount);
      at += page.length;
      return Promise.resolve({ rows: page, done: at >= own.length });
    },
    close() {
      if (!isClosed) {
        isClosed = true;
        onClose();
      }
    },
  };
}
