import { type PeerId, type StoreId, RdbError, peerId, storeId } from "@flaredb/rdb-base";
import { RecordReader, RecordWriter } from "./bytes.ts";
import type { Engine } from "./engine.ts";
import type { WritePart } from "./write-part.ts";

const FORMAT = 1;
/** Its row in the column `meta`. */
export const IDENT_KEY = new TextEncoder().encode("ident");

/** A Store's data folder belongs to it alone. Cluster ids are safe integers, >= 1. */
export interface StoreIdent {
  readonly kind: "Store";
  readonly clusterId: number;
  readonly storeId: StoreId;
}

/** A PD member's data folder belongs to it alone. */
export interface PdIdent {
  readonly kind: "PD";
  readonly clusterId: number;
  readonly memberId: PeerId;
}

/** Whose data a folder holds. */
export type Ident = StoreIdent | PdIdent;

/** Undefined in a new folder. @throws RdbError RDB_DATA_CORRUPT */
export function readIdent(engine: Engine): Ident | undefined {
  const row = engine.get("meta", IDENT_KEY);
  return row && decodeIdent(row);
}

/** @throws RdbError RDB_DATA_CORRUPT */
export function decodeIdent(row: Uint8Array): Ident {
  const reader = new RecordReader(row, "ident").format(FORMAT);
  const kind = reader.u8();
  const clusterId = reader.u64();
  const id = reader.u64();
  reader.end();
  switch (kind) {
    case 0:
      return { kind: "Store", clusterId, storeId: storeId(id) };
    case 1:
      return { kind: "PD", clusterId, memberId: peerId(id) };
    default:
      return reader.fail(`has an unknown kind ${kind}`);
  }
}

/** Written once in a folder's life, durably: asks for sync. */
export function writeIdent(part: WritePart, ident: Ident): void {
  const isStore = ident.kind === "Store";
  part.put(
    "meta",
    IDENT_KEY,
    new RecordWriter()
      .u8(FORMAT)
      .u8(isStore ? 0 : 1)
      .u64(ident.clusterId)
      .u64(isStore ? ident.storeId : ident.memberId)
      .finish(),
  );
  part.sync = true;
}

/**
 * The folder's ident, which is of the kind asked for, or undefined in a new folder.
 *
 * @throws RdbError RDB_DATA_FOREIGN when it belongs to the other kind of process; RDB_DATA_CORRUPT
 */
export function readIdentOf<Kind extends Ident["kind"]>(
  engine: Engine,
  kind: Kind,
): Extract<Ident, { kind: Kind }> | undefined {
  const ident = readIdent(engine);
  if (ident !== undefined && ident.kind !== kind) {
    throw new RdbError("RDB_DATA_FOREIGN", `the data folder belongs to a ${ident.kind}, not to a ${kind}`, {
      details: { ...ident },
    });
  }
  return ident as Extract<Ident, { kind: Kind }> | undefined;
}
