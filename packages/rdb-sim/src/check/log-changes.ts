import type { Index, PeerId, RegionId } from "@flaredb/rdb-base";
import type { HardState } from "@flaredb/rdb-raft";
import type { WriteOp } from "@flaredb/rdb-storage";
import type { DecodedOp } from "@flaredb/rdb-storage/testing";
import { hashOf } from "./hash.ts";
import type { PeerRecord } from "./peer-record.ts";
import type { LogEntry } from "./region-record.ts";

/** An entry that is put, or with `entry` undefined deleted. */
export interface EntryChange {
  /** Whose log it is: another peer of the Region may be there by the time that the change is durable. */
  readonly peer: PeerRecord;
  readonly index: Index;
  readonly entry: LogEntry | undefined;
}

/** What a step of the stream makes durable, once it is. */
export interface LogChanges {
  readonly entries: readonly EntryChange[];
  readonly hardStates: readonly { readonly peer: PeerRecord; readonly state: HardState }[];
  /** Peers that leave for good with it. */
  readonly removed?: readonly PeerId[];
}

/** Takes what a part does to logs and HardStates to the peers, each of which checks its own. */
export function takeLogChanges(
  decoded: readonly DecodedOp[],
  ops: readonly WriteOp[],
  peerOf: (id: RegionId) => PeerRecord,
): LogChanges {
  const entries = entryChanges(decoded, ops, peerOf);
  const hardStates: LogChanges["hardStates"][number][] = [];
  const commits = new Map<PeerRecord, number>();
  let next = 0;
  for (const op of decoded) {
    if (op.kind === "truncated" && op.value !== undefined) {
      peerOf(op.regionId).truncated = op.value;
    } else if (op.kind === "hardState" && op.value !== undefined) {
      const peer = peerOf(op.regionId);
      commits.set(peer, commits.get(peer) ?? peer.commit);
      peer.putHardState(op.value);
      hardStates.push({ peer, state: op.value });
    } else if (op.kind === "entry") {
      const { peer, index, entry } = entries[next++] as EntryChange;
      if (entry !== undefined) {
        peer.putEntry(index, entry);
      }
    }
  }
  endPart(entries);
  commits.forEach((from, peer) => peer.checkCommitted(from));
  return { entries, hardStates };
}

function entryChanges(
  decoded: readonly DecodedOp[],
  ops: readonly WriteOp[],
  peerOf: (id: RegionId) => PeerRecord,
): EntryChange[] {
  return decoded.flatMap((op, place) => {
    if (op.kind !== "entry") {
      return [];
    }
    const { regionId, index, value } = op;
    const row = ops[place]?.value;
    const entry = value && row && { term: value.term, hash: hashOf(row) };
    return [{ peer: peerOf(regionId), index, entry }];
  });
}

/** What only the whole part tells: which entries are gone, and what lies behind those that it put. */
function endPart(entries: readonly EntryChange[]): void {
  const lastOf = new Map<string, EntryChange>();
  const lastPut = new Map<PeerRecord, Index>();
  for (const change of entries) {
    lastOf.set(`${change.peer.regionId} ${change.index}`, change);
    if (change.entry !== undefined) {
      lastPut.set(change.peer, change.index);
    }
  }
  for (const { peer, index, entry } of lastOf.values()) {
    if (entry === undefined) {
      peer.deleteEntry(index);
    }
  }
  lastPut.forEach((index, peer) => peer.checkTail(index));
}
