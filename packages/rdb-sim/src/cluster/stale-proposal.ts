import { type MessageInitShape, create, toBinary } from "@bufbuild/protobuf";
import { type Peer, type Region, assert } from "@flaredb/rdb-base";
import { LogCommandSchema } from "@flaredb/rdb-proto";
import { newMessage } from "@flaredb/rdb-raft";
import type { RunningStore } from "@flaredb/rdb-server";

/** As a Store receives it. */
type PeerMessage = Parameters<RunningStore["store"]["receive"]>[0][number];
type StaleEntry = NonNullable<Parameters<typeof newMessage>[0]["entries"]>[number];
type StaleCommand = NonNullable<MessageInitShape<typeof LogCommandSchema>["command"]>;

/** What reaches a leader late. */
export interface StaleProposal {
  readonly region: Region;
  /** The Region behind it, if that may have been split off it. */
  readonly next: Region | undefined;
  readonly from: Peer;
  readonly to: Peer;
}

/**
 * Proposals that another peer made for the Region as it was before, and that reach the leader only now. Were they
 * applied, one would delete everything that the Region has, and the other split off once more what was split off
 * already: their epoch is out of date, so they must do nothing.
 */
export function staleProposal({ region, next, from, to }: StaleProposal): PeerMessage {
  assert(region.epoch.version > 0, "there was a version before");
  const { id: regionId, epoch } = region;
  const entries = [deletion(region), ...(next === undefined ? [] : [split(region, next)])];
  const message = newMessage({ type: "MsgProp", from: from.id, to: to.id, entries });
  return {
    regionId,
    fromPeer: from,
    toPeer: to,
    epoch,
    range: undefined,
    payload: { kind: "raft", message },
  };
}

function deletion(region: Region): StaleEntry {
  const { startKey, endKey } = region;
  return staleEntry(region, { case: "deleteRange", value: { startKey, endKey } });
}

function split(region: Region, { id, startKey, peers }: Region): StaleEntry {
  const peerIds = peers.map((peer) => BigInt(peer.id));
  const newRegions = [{ regionId: BigInt(id), startKey, peerIds }];
  return staleEntry(region, { case: "split", value: { newRegions } });
}

function staleEntry({ epoch }: Region, command: StaleCommand): StaleEntry {
  const epochVersion = BigInt(epoch.version - 1);
  const stale = create(LogCommandSchema, { epochVersion, epochConfVer: BigInt(epoch.confVer), command });
  return { term: 0, index: 0, type: "Normal", data: toBinary(LogCommandSchema, stale) } as StaleEntry;
}
