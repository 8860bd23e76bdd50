import { type Index, type RegionId, keysEqual } from "@flaredb/rdb-base";
import type { ConfState, Entry, HardState } from "@flaredb/rdb-raft";
import { IDENT_KEY, type Ident, decodeIdent } from "../ident.ts";
import { parseIndexedKey, parseStateKey, stateKinds } from "../key-codec.ts";
import {
  type TruncatedState,
  decodeConfState,
  decodeEntry,
  decodeHardState,
  decodeTruncatedState,
} from "../raft-codec.ts";
import {
  type ApplyState,
  type RegionLocalState,
  decodeApplyState,
  decodeRegionLocalState,
} from "../region-codec.ts";
import type { WriteOp } from "../write-part.ts";

/** What a mutation of a Store's database means; a value of undefined: the row is deleted. */
export type DecodedOp =
  | {
      readonly kind: "entry";
      readonly regionId: RegionId;
      readonly index: Index;
      readonly value: Entry | undefined;
    }
  | { readonly kind: "hardState"; readonly regionId: RegionId; readonly value: HardState | undefined }
  | { readonly kind: "confState"; readonly regionId: RegionId; readonly value: ConfState | undefined }
  | { readonly kind: "truncated"; readonly regionId: RegionId; readonly value: TruncatedState | undefined }
  | { readonly kind: "localState"; readonly regionId: RegionId; readonly value: RegionLocalState | undefined }
  | { readonly kind: "applyState"; readonly regionId: RegionId; readonly value: ApplyState | undefined }
  /** How far a merge is; whom the Region took; its rows were found to differ. */
  | {
      readonly kind: "mergeRecord" | "takenRecord" | "damageMark";
      readonly regionId: RegionId;
      readonly isThere: boolean;
    }
  | { readonly kind: "session"; readonly regionId: RegionId }
  | { readonly kind: "data" }
  | { readonly kind: "ident"; readonly value: Ident | undefined }
  | { readonly kind: "meta" };

/**
 * Reads what is written to a Store's database, or lies in it, from outside: for checkers that watch Stores.
 *
 * @throws RdbError RDB_DATA_CORRUPT
 */
export function decodeOp({ column, key, value }: WriteOp): DecodedOp {
  switch (column) {
    case "data":
      return { kind: "data" };
    case "meta":
      return keysEqual(key, IDENT_KEY)
        ? { kind: "ident", value: value && decodeIdent(value) }
        : { kind: "meta" };
    case "session":
      return { kind: "session", regionId: parseIndexedKey(key).regionId };
    case "raft_log": {
      const { regionId, index } = parseIndexedKey(key);
      return { kind: "entry", regionId, index, value: value && decodeEntry(value, index) };
    }
    case "raft_state":
    case "region": {
      const { regionId, kind } = parseStateKey(key);
      return column === "region" ? regionRow(regionId, kind, value) : raftRow(regionId, kind, value);
    }
  }
}

function raftRow(regionId: RegionId, kind: number, value: Uint8Array | undefined): DecodedOp {
  switch (kind) {
    case stateKinds.hardState:
      return { kind: "hardState", regionId, value: value && decodeHardState(value) };
    case stateKinds.confState:
      return { kind: "confState", regionId, value: value && decodeConfState(value) };
    case stateKinds.truncated:
      return { kind: "truncated", regionId, value: value && decodeTruncatedState(value) };
    default:
      throw new Error(`raft_state has no rows of kind ${kind}`);
  }
}

function regionRow(regionId: RegionId, kind: number, value: Uint8Array | undefined): DecodedOp {
  switch (kind) {
    case stateKinds.localState:
      return { kind: "localState", regionId, value: value && decodeRegionLocalState(value) };
    case stateKinds.applyState:
      return { kind: "applyState", regionId, value: value && decodeApplyState(value) };
    case stateKinds.merge:
      return { kind: "mergeRecord", regionId, isThere: value !== undefined };
    case stateKinds.taken:
      return { kind: "takenRecord", regionId, isThere: value !== undefined };
    case stateKinds.damaged:
      return { kind: "damageMark", regionId, isThere: value !== undefined };
    default:
      throw new Error(`region has no rows of kind ${kind}`);
  }
}
