import type { Peer, Random, StoreId } from "@flaredb/rdb-base";
import type { KvCall } from "./kv-call.ts";
import type { RegionEntry } from "./region-cache.ts";

/** What choosing needs to know of the Stores. */
export interface StoreView {
  canTry(storeId: StoreId): boolean;
  roundTripMs(storeId: StoreId): number | undefined;
}

export interface ChosenPeer {
  readonly peer: Peer;
  /** Whether it may serve without leading (after asking the leader how far it must have applied). */
  readonly fromFollower: boolean;
}

/**
 * The peer to ask next, or undefined when every one was tried since the last pause or cannot be reached. Where the
 * leader is unknown or gone, any voter will do: it answers who leads.
 */
export function choosePeer(
  call: Pick<KvCall, "readFrom" | "tried">,
  entry: RegionEntry,
  stores: StoreView,
  random: Random,
): ChosenPeer | undefined {
  const canAsk = (peer: Peer): boolean => !call.tried.includes(peer.storeId) && stores.canTry(peer.storeId);
  const { leader } = entry;
  if (call.readFrom === "leader" && leader !== undefined && canAsk(leader)) {
    return { peer: leader, fromFollower: false };
  }
  const voters = entry.region.peers.filter((peer) => peer.role !== "Learner" && canAsk(peer));
  const followers = voters.filter((peer) => peer.id !== leader?.id);
  switch (call.readFrom) {
    case "leader":
      return chosen(anyOf(followers, random), false);
    case "follower":
      return chosen(anyOf(followers, random) ?? voters[0], true);
    case "nearest":
      return chosen(nearestOf(voters, stores), true);
  }
}

function chosen(peer: Peer | undefined, fromFollower: boolean): ChosenPeer | undefined {
  return peer && { peer, fromFollower };
}

function anyOf(peers: readonly Peer[], random: Random): Peer | undefined {
  return peers.length === 0 ? undefined : peers[random.nextInt(peers.length)];
}

/** Stores without a measurement come first: asking them makes one. */
function nearestOf(peers: readonly Peer[], stores: StoreView): Peer | undefined {
  let nearest: Peer | undefined;
  let nearestMs = Infinity;
  for (const peer of peers) {
    const roundTripMs = stores.roundTripMs(peer.storeId) ?? 0;
    if (roundTripMs < nearestMs) {
      nearest = peer;
      nearestMs = roundTripMs;
    }
  }
  return nearest;
}
