import { type Region, peerOnStore } from "@flaredb/rdb-base";
import type { PlacementConfig } from "../placement-config.ts";
import type { StoreFilter } from "./store-filter.ts";

/** Silent for `maxStoreDownTime`. */
const down: StoreFilter = {
  name: "down",
  reason: ({ condition }) =>
    condition === "Down" ? "it is silent for longer than maxStoreDownTime" : undefined,
};

/** Silent, but may be back soon. */
const disconnected: StoreFilter = {
  name: "disconnected",
  reason: ({ condition }) =>
    condition === "Disconnected" ? "it is silent, or its stream to PD ended" : undefined,
};

/** It is being emptied. */
export const draining: StoreFilter = {
  name: "draining",
  reason: ({ isDraining }) => (isDraining ? "it is being emptied" : undefined),
};

/** The disk answers too slowly. */
const slow: StoreFilter = {
  name: "slow",
  reason: ({ stats }) => (stats?.isSlow === true ? "its disk is slow" : undefined),
};

/** Nothing is known of its space. */
const unreported: StoreFilter = {
  name: "unreported",
  reason: ({ stats }) => (stats === undefined ? "it has not reported its space yet" : undefined),
};

/** It takes no writes. */
const full: StoreFilter = {
  name: "is-full",
  reason: ({ stats }) => (stats?.isFull === true ? "its disk is full" : undefined),
};

const evictsLeaders: StoreFilter = {
  name: "evicts-leaders",
  reason: (store) => (store.evictsLeaders ? "it is to lead nothing" : undefined),
};

/** It takes as many peers as it may already. */
const addLimit: StoreFilter = {
  name: "limit",
  reason: ({ canAddPeer }) =>
    canAddPeer ? undefined : "it takes in as many peers already as its limit lets it",
};

/** It gives as many peers as it may already. */
export const removeLimit: StoreFilter = {
  name: "limit",
  reason: ({ canRemovePeer }) =>
    canRemovePeer ? undefined : "it gives away as many peers already as its limit lets it",
};

function lowSpace(config: PlacementConfig): StoreFilter {
  return {
    name: "low-space",
    reason: ({ stats, plannedSizeBytes }) => {
      const capacityBytes = Number(stats?.capacityBytes ?? 0n);
      if (capacityBytes === 0) {
        return undefined;
      }
      const filledBytes = capacityBytes - Number(stats?.availableBytes ?? 0n) + Math.max(plannedSizeBytes, 0);
      const percent = (filledBytes / capacityBytes) * 100;
      return percent > config.lowSpacePercent
        ? `it is ${percent.toFixed(1)} % full, lowSpacePercent is ${config.lowSpacePercent}`
        : undefined;
    },
  };
}

function pendingPeers({ maxPendingPeers }: PlacementConfig): StoreFilter {
  return {
    name: "pending-peers",
    reason: ({ pendingPeerCount }) =>
      pendingPeerCount > maxPendingPeers
        ? `${pendingPeerCount} of its peers lag, maxPendingPeers is ${maxPendingPeers}`
        : undefined,
  };
}

/** It has a peer of the Region already. */
export function hasPeer(region: Region): StoreFilter {
  return {
    name: "has-peer",
    reason: ({ id }) => {
      const peer = peerOnStore(region, id);
      return peer === undefined ? undefined : `it has peer ${peer.id} of the region`;
    },
  };
}

/** Who may take part at all. */
export const alive: readonly StoreFilter[] = [down, disconnected];

/** Who may take in a peer, whatever Region's, if it may take a while. */
export function roomFilters(config: PlacementConfig): readonly StoreFilter[] {
  return [...alive, draining, unreported, full, lowSpace(config), slow, pendingPeers(config)];
}

/** Who may take in a peer now. */
export function newPeerFilters(config: PlacementConfig): readonly StoreFilter[] {
  return [...roomFilters(config), addLimit];
}

/** Who may lead. */
export const leaderFilters: readonly StoreFilter[] = [...alive, draining, full, slow, evictsLeaders];
