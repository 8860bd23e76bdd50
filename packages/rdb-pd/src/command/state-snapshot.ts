import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { PdSnapshotSchema } from "@flaredb/rdb-proto";
import { type Row } from "@flaredb/rdb-storage";
import type { DurableState } from "../cluster/durable-state.ts";
import { decodeState, encodeRow } from "./state-rows.ts";

/** Everything, as the rows that it has on disk. */
export function encodeStateSnapshot(state: DurableState): Uint8Array {
  const rows = state.allRows().flatMap((row) => {
    const { key, value } = encodeRow(state, row);
    return value === undefined ? [] : [{ key, value }];
  });
  return toBinary(PdSnapshotSchema, create(PdSnapshotSchema, { rows }));
}

/** @throws RdbError RDB_DATA_FORMAT or RDB_DATA_CORRUPT, see `decodeState` */
export function decodeStateSnapshot(data: Uint8Array): {
  readonly state: DurableState;
  readonly rows: readonly Row[];
} {
  const { rows } = fromBinary(PdSnapshotSchema, data);
  return { state: decodeState(rows), rows };
}
