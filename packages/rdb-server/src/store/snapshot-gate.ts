import { type Logger, type Region, type StoreId, formatRange, peerOnStore } from "@flaredb/rdb-base";
import type { Peer } from "../peer/peer.ts";
import type { PeerLifecycle } from "./peer-lifecycle.ts";
import type { PeerMessage } from "./peer-message.ts";
import type { ReceivedSnapshot, SnapshotFiles } from "./ports.ts";
import type { RegionMap } from "./region-map.ts";
import type { RegionMerger } from "./region-merger.ts";

/** Where snapshots are let in. */
export interface SnapshotGateOwner {
  readonly storeId: StoreId;
  readonly logger: Logger;
  readonly snapshotFiles: Pick<SnapshotFiles, "remove">;
  readonly peers: RegionMap;
  readonly merger: RegionMerger;
  readonly lifecycle: PeerLifecycle;
  isDiskFull(): boolean;
  wantsTurn(peer: Peer): void;
}

/**
 * Lets a snapshot in only for the peer that it lists, and never over another Region: looked at before it is sent, and
 * again when it lies here, as much may have changed meanwhile.
 */
export class SnapshotGate {
  readonly #owner: SnapshotGateOwner;

  constructor(owner: SnapshotGateOwner) {
    this.#owner = owner;
  }

  /** Whether it is welcome; why not otherwise. */
  accepts(message: PeerMessage, region: Region): true | string {
    const { storeId, peers } = this.#owner;
    const peer = peers.get(message.regionId);
    if (peer === undefined || peer.id !== message.toPeer.id) {
      return `Store ${storeId} has no peer ${message.toPeer.id} of Region ${message.regionId}`;
    }
    if (peerOnStore(region, storeId)?.id !== peer.id) {
      return `the snapshot's Region ${region.id} does not list peer ${peer.id}`;
    }
    if (peer.isInstalling) {
      return `Region ${region.id} is installing a snapshot already`;
    }
    const overlapping = this.#overlapping(message, region);
    if (overlapping !== undefined) {
      return `the snapshot's range overlaps Region ${overlapping.id} ${formatRange(overlapping)}`;
    }
    return this.#owner.isDiskFull() ? `the disk of Store ${storeId} is nearly full` : true;
  }

  /** @returns what gives the range up again; why it cannot be kept otherwise */
  reserve(message: PeerMessage, region: Region): (() => void) | string {
    const verdict = this.accepts(message, region);
    return verdict === true
      ? (this.#owner.peers.reserve(region) ?? `a snapshot of Region ${region.id} is coming in already`)
      : verdict;
  }

  /** It lies in its files: to its peer, or away with it. */
  received(snapshot: ReceivedSnapshot): void {
    const { message, region, snapshotId } = snapshot;
    const { peers, snapshotFiles, logger } = this.#owner;
    const peer = peers.get(region.id);
    if (peer === undefined) {
      // A halted peer may need the very files again at the next start.
      const halted = peers.holder(region.id);
      void (halted === undefined ? snapshotFiles.remove(snapshotId) : halted.installer.drop(snapshot));
    } else if (peer.id !== message.toPeer.id || this.#overlapping(message, region) !== undefined) {
      logger.warn({ region: region.id, snapshotId }, "a received snapshot has no place any more");
      peer.installer.drop(snapshot);
    } else {
      this.#owner.lifecycle.attempt(peer, () => peer.stepSnapshot(snapshot));
      this.#owner.wantsTurn(peer);
    }
  }

  #overlapping(message: PeerMessage, region: Region): Region | undefined {
    const { peers, merger } = this.#owner;
    return peers.overlapping(region, region.id, ...merger.endedBy(message));
  }
}
