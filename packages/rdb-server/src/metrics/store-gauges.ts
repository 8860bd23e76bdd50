import type { RegionStatus } from "../store/store-handle.ts";
import type { StoreMetrics } from "./store-metrics.ts";

/** What is looked at of a peer, when somebody asks for the metrics. */
interface GaugedPeer {
  readonly isInitialised: boolean;
  readonly isAsleep: boolean;
  readonly isInstalling: boolean;
  readonly waitingCount: number;
  readonly waitingWriteCount: number;
  readonly inFlightBytes: number;
  status(): RegionStatus;
}

export interface GaugedStore {
  readonly peers: Iterable<GaugedPeer>;
  readonly haltedCount: number;
  readonly unwrittenBytes: number;
  readonly isSlow: boolean;
  readonly isFull: boolean;
}

/** Sets the gauges of a Store's loop: one walk over its peers. */
export function fillStoreGauges(metrics: StoreMetrics, store: GaugedStore): void {
  const sums = new Sums();
  for (const peer of store.peers) {
    sums.add(peer);
  }
  metrics.regions.leader.value = sums.leaders;
  metrics.regions.follower.value = sums.followers;
  metrics.regions.learner.value = sums.learners;
  metrics.regions.uninitialised.value = sums.uninitialised;
  metrics.regionsAsleep.value = sums.asleep;
  metrics.regionsHalted.value = store.haltedCount;
  metrics.regionsDamaged.value = sums.damaged;
  metrics.regionsMerging.value = sums.merging;
  metrics.regionsInstalling.value = sums.installing;
  metrics.regionsTroubled.down_peer.value = sums.withDown;
  metrics.regionsTroubled.pending_peer.value = sums.withPending;
  metrics.regionsTroubled.damaged_peer.value = sums.withDamaged;
  metrics.largestRegion.value = sums.largestBytes;
  metrics.regionBytes.value = sums.bytes;
  metrics.requestsPending.write.value = sums.waitingWrites;
  metrics.requestsPending.read.value = sums.waiting - sums.waitingWrites;
  metrics.raftInFlight.value = sums.inFlightBytes;
  metrics.unwritten.value = store.unwrittenBytes;
  metrics.slowDisk.value = store.isSlow ? 1 : 0;
  metrics.fullDisk.value = store.isFull ? 1 : 0;
}

class Sums {
  leaders = 0;
  followers = 0;
  learners = 0;
  uninitialised = 0;
  asleep = 0;
  damaged = 0;
  merging = 0;
  installing = 0;
  withDown = 0;
  withPending = 0;
  withDamaged = 0;
  bytes = 0;
  largestBytes = 0;
  waiting = 0;
  waitingWrites = 0;
  inFlightBytes = 0;

  add(peer: GaugedPeer): void {
    this.waiting += peer.waitingCount;
    this.waitingWrites += peer.waitingWriteCount;
    this.asleep += peer.isAsleep ? 1 : 0;
    this.installing += peer.isInstalling ? 1 : 0;
    if (!peer.isInitialised) {
      this.uninitialised++;
      return;
    }
    const status = peer.status();
    this.bytes += status.approximateSizeBytes;
    this.damaged += status.isDamaged ? 1 : 0;
    this.merging += status.isMerging ? 1 : 0;
    if (status.isLeader) {
      this.#addLed(status, peer.isAsleep ? 0 : peer.inFlightBytes);
    } else if (status.region.peers.find(({ id }) => id === status.peerId)?.role === "Learner") {
      this.learners++;
    } else {
      this.followers++;
    }
  }

  #addLed(status: RegionStatus, inFlightBytes: number): void {
    this.leaders++;
    this.inFlightBytes += inFlightBytes;
    this.largestBytes = Math.max(this.largestBytes, status.approximateSizeBytes);
    this.withDown += status.downPeerIds.length > 0 ? 1 : 0;
    this.withPending += status.pendingPeerIds.length > 0 ? 1 : 0;
    this.withDamaged += status.damagedPeerIds.length > 0 ? 1 : 0;
  }
}
