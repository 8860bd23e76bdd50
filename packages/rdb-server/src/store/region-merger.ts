import {
  type Index,
  type Logger,
  type PeerId,
  RdbError,
  type Region,
  type RegionId,
  type StoreId,
  epochsEqual,
  hasCode,
  peerOnStore,
  regionId,
} from "@flaredb/rdb-base";
import type { CommitMergeCommand } from "@flaredb/rdb-proto";
import {
  type Engine,
  TAKEN_MAX_COUNT,
  type WritePart,
  destroyRegion,
  getMergeRecord,
  getRegionLocalState,
  getTakenRegions,
  putMergeRecord,
  putRegionLocalState,
  rangesBeside,
} from "@flaredb/rdb-storage";
import { adminRefusal } from "../peer/admin/admin-refusal.ts";
import type { MergeSource } from "../peer/admin/apply-merge.ts";
import { hasPassed } from "../peer/admin/merge-plan.ts";
import type { Peer } from "../peer/peer.ts";
import { decodeSnapshotDescription } from "../peer/snapshot-description.ts";
import type { AdminOutcome, MergeRegion } from "./admin-command.ts";
import type { MergeQuestion, PeerMessage } from "./peer-message.ts";
import type { Transport } from "./ports.ts";
import type { RegionMap } from "./region-map.ts";
import type { HaltedPeer } from "./unreadable-peer.ts";

/** What merges of a Store work on. */
export interface RegionMergerOptions {
  readonly storeId: StoreId;
  readonly engine: Engine;
  readonly logger: Logger;
  readonly transport: Pick<Transport, "send">;
  readonly peers: RegionMap;
  regionChanged(regionId: RegionId): void;
  /** See `PeerContext.halt`. */
  halt(regionId: RegionId, peerId: PeerId, error: unknown): void;
}

/**
 * What merges are between the peers of one Store (ADR 11): the source's peer goes over to the target's, or goes with the
 * target's snapshot, or goes when it hears that its Region was taken and no peer here can need it any more.
 */
export class RegionMerger {
  readonly #options: RegionMergerOptions;
  /** Regions here that were taken, and whose peers stay until a peer of the other Region has taken or replaced them. */
  readonly #waiting = new Map<RegionId, RegionId>();

  constructor(options: RegionMergerOptions) {
    this.#options = options;
  }

  /** PD's command; see {@link proposePrepareMerge}. */
  merge(command: MergeRegion): AdminOutcome {
    const peer = this.#options.peers.initialised(command.regionId);
    return (
      peer?.merge.prepare(command) ??
      adminRefusal("NotLeader", `this Store has no peer of Region ${command.regionId}`)
    );
  }

  /**
   * The target's peer takes the source: its peer here is brought to where the merge is, stopped and handed over.
   *
   * @throws RdbError RDB_UNAVAILABLE when it is not here, or cannot get there now
   */
  takeSource(command: CommitMergeCommand): MergeSource {
    const id = regionId(command.source?.id ?? 0);
    const { peers, logger, storeId } = this.#options;
    const peer = peers.initialised(id);
    if (peer === undefined) {
      throw new RdbError(
        "RDB_UNAVAILABLE",
        `Region ${id} is to be taken, but has no running peer on Store ${storeId}`,
      );
    }
    const source = this.#surrendered(peer, command);
    logger.info(
      { region: id, peer: peer.id, into: source.prepared.target.id },
      "the Region is taken by its neighbour",
    );
    this.#remove(peer);
    return source;
  }

  /**
   * Another Store's source asks what became of its merge. What a running peer here has applied is decided for good: it
   * has taken the source, itself or in what it took, or it has passed the merge and never will. While neither is so,
   * only a leader can do something about it.
   */
  answer(message: PeerMessage, { target, prepareIndex, keeper, givesUp }: MergeQuestion): void {
    const source = message.regionId;
    const peer = this.#options.peers.initialised(keeper);
    if (peer === undefined || peer.isInstalling) {
      return;
    }
    const { region } = peer;
    const taken = getTakenRegions(this.#options.engine, keeper);
    const isPast = keeper === target.id ? hasPassed(region.epoch, target.epoch) : taken.includes(target.id);
    if (taken.includes(source)) {
      this.#reply(message, { kind: "merged", into: region });
    } else if (isPast && taken.length < TAKEN_MAX_COUNT) {
      this.#reply(message, { kind: "mergeRefused", prepareIndex });
    } else if (givesUp && keeper === target.id && epochsEqual(region.epoch, target.epoch)) {
      peer.merge.refuse(source, target.epoch);
    }
  }

  /** Another Store knows that a source's merge will never be. */
  heardRefused({ regionId: id, toPeer }: PeerMessage, prepareIndex: Index): void {
    const peer = this.#options.peers.initialised(id);
    if (peer?.id === toPeer.id) {
      peer.merge.heardRefused(prepareIndex);
    }
  }

  #reply({ regionId: id, fromPeer, toPeer, epoch }: PeerMessage, payload: PeerMessage["payload"]): void {
    const envelope = { regionId: id, fromPeer: toPeer, toPeer: fromPeer, epoch, range: undefined };
    this.#options.transport.send({ ...envelope, payload });
  }

  #surrendered(peer: Peer, command: CommitMergeCommand): MergeSource {
    try {
      return peer.merge.surrender(command);
    } catch (error) {
      if (!hasCode(error, "RDB_UNAVAILABLE") || peer.merge.isAheadOfCore) {
        // It stopped halfway. Its core would give it again what it has applied.
        this.#options.halt(peer.regionId, peer.id, error);
      }
      throw error;
    }
  }

  /** Regions here that go when the snapshot is installed: it may overlap them. */
  endedBy({ payload }: PeerMessage): RegionId[] {
    const snapshot = payload.kind === "raft" ? payload.message.snapshot : undefined;
    if (snapshot === undefined) {
      return [];
    }
    const { taken } = decodeSnapshotDescription(snapshot.data);
    return this.#ended(taken).map((peer) => peer.regionId);
  }

  /** Regions here whose peers wait for the message's Region to end them: an empty peer of it may be beside them. */
  waitingFor(target: RegionId): RegionId[] {
    return [...this.#waiting].filter(([, into]) => into === target).map(([id]) => id);
  }

  /** See `PeerContext.endMerged`. */
  endMerged(part: WritePart, later: Region, taken: readonly RegionId[]): () => void {
    const regions = this.#ended(taken).map((peer) => {
      const { claims } = peer;
      // In the middle of a snapshot of its own it has rows of two ranges.
      const { startKey, endKey } = claims.at(-1) ?? peer.region;
      const region = { ...peer.region, startKey, endKey };
      putRegionLocalState(part, { state: "Destroying", region });
      putMergeRecord(part, region.id, { kind: "Merged", into: later });
      this.#options.logger.info(
        { region: region.id, peer: peer.id, into: later.id },
        "a snapshot shows that the Region was merged: its peer goes with what is replaced",
      );
      this.#remove(peer);
      return { region, formerRanges: claims.slice(0, -1) };
    });
    return () => {
      const { engine, peers } = this.#options;
      for (const { region, formerRanges } of regions) {
        // One that halted as it was out of date overlaps a newer Region here. What is replaced clears its own range.
        const spared = peers.claimedByOthers(region.id);
        for (const former of formerRanges) {
          rangesBeside(former, spared).forEach((range) => engine.deleteRange("data", range));
        }
        void destroyRegion(engine, region, spared);
      }
    };
  }

  /**
   * A peer heard that its Region was taken. It goes, unless the target's peer here may still have to take it: that one
   * is behind the merge, or comes only now.
   *
   * @param into the Region that has its keys now, or had them when whoever speaks last knew
   * @returns whether it may go; if not, it is remembered what it waits for
   */
  mayGo(id: RegionId, into: Region): boolean {
    const { engine, peers, storeId } = this.#options;
    const target = peers.get(into.id);
    const isBehind =
      target === undefined
        ? getRegionLocalState(engine, into.id)?.state !== "Tombstone" &&
          peerOnStore(into, storeId) !== undefined
        : !target.isInitialised || target.isInstalling || target.region.epoch.version < into.epoch.version;
    if (isBehind) {
      this.#waiting.set(id, into.id);
    }
    return !isBehind;
  }

  /** Who took a Region that is no more here: the Region as it is now, if it is here, else as it was then. */
  takenBy(id: RegionId): Region | undefined {
    const { engine, peers } = this.#options;
    let found: Region | undefined;
    // What other Stores said stands in the records: were one of them to lie, the records could lead in a circle.
    const seen = new Set<RegionId>();
    for (let next: RegionId | undefined = id; next !== undefined && !seen.has(next); ) {
      seen.add(next);
      const record = getMergeRecord(engine, next);
      if (record?.kind !== "Merged") {
        return found;
      }
      found = peers.initialised(record.into.id)?.region ?? record.into;
      next = found === record.into ? found.id : undefined;
    }
    return found;
  }

  /** Peers here of Regions that another has taken; halted ones too. */
  #ended(taken: readonly RegionId[]): HaltedPeer[] {
    const { peers } = this.#options;
    const halted = peers.allHalted().filter((peer) => peer.claims.length > 0);
    return [...peers.allInitialised(), ...halted].filter((peer) => taken.includes(peer.regionId));
  }

  #remove(peer: HaltedPeer): void {
    this.#waiting.delete(peer.regionId);
    this.#options.peers.remove(peer.regionId);
    peer.stop();
    peer.installer.dropInstalling();
    this.#options.regionChanged(peer.regionId);
  }
}
