import {
  type Region,
  type RegionId,
  type StoreId,
  keysEqual,
  peerById,
  peerOnStore,
} from "@flaredb/rdb-base";
import type { RunningStore } from "@flaredb/rdb-server";
import { staleProposal } from "./stale-proposal.ts";

// What reaches one Store from outside, as PD or another Store would send it.

type Store = RunningStore["store"];

/** PD tells the Region's leader to hand over to its peer on the target. */
export function transferTo(store: Store, id: RegionId | undefined, target: StoreId): void {
  const region = id === undefined ? undefined : store.regionStatus(id)?.region;
  const peer = region === undefined ? undefined : peerOnStore(region, target);
  if (region !== undefined && peer !== undefined) {
    store.transferLeader(region.id, region.epoch, peer.id);
  }
}

/** PD tells the Region's leader to split it at the key. What the Store says against it nobody hears. */
export function splitAt(store: Store, { id: regionId, epoch }: Region, key: Uint8Array): void {
  // Never rejects.
  void store.splitRegion({ regionId, epoch, keys: [key], partCount: 0 });
}

/** The Region's leader receives a proposal of an older epoch from the sender's peer. */
export function receiveStale(store: Store, id: RegionId | undefined, sender: StoreId): void {
  const status = id === undefined ? undefined : store.regionStatus(id);
  if (status === undefined) {
    return;
  }
  const { region, peerId } = status;
  const from = peerOnStore(region, sender);
  const to = peerById(region, peerId);
  if (from !== undefined && to !== undefined && from !== to) {
    const next = store
      .regionStatuses()
      .map((other) => other.region)
      .find(({ startKey, peers }) => isBehind(region, startKey) && peers.length === region.peers.length);
    store.receive([staleProposal({ region, next, from, to })], () => {});
  }
}

function isBehind({ endKey }: Region, startKey: Uint8Array): boolean {
  return endKey.length > 0 && keysEqual(endKey, startKey);
}
