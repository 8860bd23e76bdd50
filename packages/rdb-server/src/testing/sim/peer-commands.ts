import {
  FULL_RANGE,
  type Peer,
  type PeerId,
  type Region,
  type RegionId,
  assert,
  peerId,
  peerOnStore,
  storeId,
} from "@flaredb/rdb-base";
import { getRegionLocalState } from "@flaredb/rdb-storage";
import type { AdminOutcome, PeerChange } from "../../store/admin-command.ts";
import { contentOf } from "./inspect.ts";
import { SimCluster, type SimClusterOptions } from "./sim-cluster.ts";
import type { SimStore } from "./sim-store.ts";

/** Attempts of a command that PD would repeat, and the time between two. */
const ATTEMPTS_MAX_COUNT = 200;
const ATTEMPT_INTERVAL_MS = 50;
const PAGE_MAX_COUNT = 100;
const PAGE_MAX_BYTES = 100_000;

/** A cluster of five Stores whose one Region has peers on the first ones only; default: on Store 1 alone. */
export async function startWithPeersOnFirst(
  options: SimClusterOptions & { readonly peerCount?: number },
): Promise<SimCluster> {
  const { peerCount = 1, ...others } = options;
  const cluster = await SimCluster.start({ storeCount: 5, ...others, bootstrap: false });
  const region = { ...cluster.region, peers: cluster.region.peers.slice(0, peerCount) };
  const created = region.peers.map((peer) => cluster.storeOf(peer.storeId).store.createPeer(region));
  for (const outcome of await cluster.complete(Promise.all(created))) {
    assert(outcome === "created", `a peer can be created: ${outcome}`);
  }
  await cluster.waitForLeader();
  return cluster;
}

/** A peer of the first Region on a Store; as the cluster begins, its id is 100 more than the Store's. */
export function peerOn(store: number, id = 100 + store): Peer {
  return { id: peerId(id), storeId: storeId(store), role: "Voter" };
}

export function addLearner(peer: Peer): PeerChange {
  return { kind: "AddLearner", peer };
}

export function promote(peer: Peer): PeerChange {
  return { kind: "Promote", peer };
}

export function remove(peer: Peer): PeerChange {
  return { kind: "Remove", peer };
}

/** The Region as its leader knows it. */
export async function regionNow(cluster: SimCluster): Promise<Region> {
  const leader = await cluster.waitForLeader();
  return cluster.statusOf(leader).region;
}

/** Gives the leader one command, as PD does, for the epoch that it has. */
export async function commandChange(cluster: SimCluster, ...changes: PeerChange[]): Promise<AdminOutcome> {
  const leader = await cluster.waitForLeader();
  const { id, epoch } = cluster.statusOf(leader).region;
  return cluster.complete(leader.store.changePeers({ regionId: id, epoch, changes }));
}

/** Commands until it is taken, and waits until a leader has applied it. */
export async function makeChange(cluster: SimCluster, ...changes: PeerChange[]): Promise<void> {
  const { confVer } = (await regionNow(cluster)).epoch;
  let outcome: AdminOutcome = { ok: true };
  const isMade = (): boolean => {
    const leader = cluster.leader();
    return leader !== undefined && cluster.statusOf(leader).region.epoch.confVer > confVer;
  };
  for (let attempt = 0; attempt < ATTEMPTS_MAX_COUNT && !isMade(); attempt++) {
    outcome = await commandChange(cluster, ...changes);
    await cluster.run(ATTEMPT_INTERVAL_MS);
  }
  if (!isMade()) {
    throw new Error(
      `the change is not made: ${outcome.ok ? "taken" : outcome.message}\n${cluster.trace.tail()}`,
    );
  }
}

/** Adds a voter: as a learner, and promoted once it has what the leader has. */
export async function addVoter(cluster: SimCluster, peer: Peer): Promise<void> {
  await makeChange(cluster, addLearner(peer));
  await makeChange(cluster, promote(peer));
}

/** Hands the leadership to the peer on a Store, as PD would before it removes the leader. */
export async function leadFrom(cluster: SimCluster, store: SimStore): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX_COUNT && cluster.leader() !== store; attempt++) {
    const leader = await cluster.waitForLeader();
    const { region } = cluster.statusOf(leader);
    const peer = peerOnStore(region, store.storeId);
    assert(peer !== undefined, `Store ${store.storeId} has a peer`);
    leader.store.transferLeader(region.id, region.epoch, peer.id);
    await cluster.run(ATTEMPT_INTERVAL_MS);
  }
  await cluster.waitForLeader((leader) => leader === store);
}

/** Which roles the Region's peers have, by Store. */
export async function rolesOf(cluster: SimCluster): Promise<Record<number, string>> {
  const { peers } = await regionNow(cluster);
  return Object.fromEntries(peers.map((peer) => [peer.storeId, peer.role]));
}

/** Lets time pass until the peers of the Region have all that its leader has; then all have the same rows. */
export async function expectMembersLevel(cluster: SimCluster): Promise<void> {
  const leader = await cluster.waitForLeader();
  const { peers } = cluster.statusOf(leader).region;
  const members = peers.map((peer) => cluster.storeOf(peer.storeId));
  await cluster.until("all peers have everything", () => {
    const last = cluster.statusOf(leader).lastIndex;
    return members.every((store) => store.store.regionStatus(cluster.region.id)?.appliedIndex === last);
  });
  const reference = await cluster.complete(contentOf(leader));
  for (const store of members) {
    const content = await cluster.complete(contentOf(store));
    if (content.join() !== reference.join()) {
      throw new Error(`Stores ${leader.storeId} and ${store.storeId} differ`);
    }
  }
}

/**
 * Lets time pass until the Store has no peer of the Region, then looks what is left of it.
 *
 * @returns the tombstone's peer, and how many rows are in each column but the one that holds tombstones
 */
export async function remainsOf(
  cluster: SimCluster,
  store: SimStore,
  region: RegionId = cluster.region.id,
): Promise<{
  readonly state: string | undefined;
  readonly peerId: PeerId | undefined;
  readonly rowCount: number;
}> {
  const isGone = (): boolean => getRegionLocalState(store.engine, region)?.state === "Tombstone";
  await cluster.until(`Store ${store.storeId} has no peer of Region ${region}`, isGone);
  // What a deletion of a range leaves is looked at once it is done.
  await cluster.complete(store.engine.flush());
  const local = getRegionLocalState(store.engine, region);
  let rowCount = 0;
  for (const column of ["data", "raft_log", "raft_state", "session"] as const) {
    const cursor = store.engine.openCursor(column, FULL_RANGE);
    rowCount += (await cluster.complete(cursor.next(PAGE_MAX_COUNT, PAGE_MAX_BYTES))).rows.length;
    cursor.close();
  }
  const peer = local === undefined ? undefined : peerOnStore(local.region, store.storeId);
  return { state: local?.state, peerId: peer?.id, rowCount };
}
