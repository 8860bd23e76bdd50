import {
  type Logger,
  type Peer as PeerInfo,
  type PeerId,
  RdbError,
  type Region,
  type RegionEpoch,
  type RegionId,
} from "@flaredb/rdb-base";
import type { RawNode } from "@flaredb/rdb-raft";
import type { PreparedMerge, RaftLogStore, WritePart } from "@flaredb/rdb-storage";
import type { AdminOutcome, AdminTarget, ChangePeers } from "../../store/admin-command.ts";
import { entryRefusal, isKnownEntry } from "../../store/cluster-version.ts";
import type { PeerMessage } from "../../store/peer-message.ts";
import type { Applier } from "../applier.ts";
import type { CommandBody } from "../commands.ts";
import type { FollowerView } from "../follower-view.ts";
import type { KeySampler } from "../key-sampler.ts";
import type { LogKeeper } from "../log-keeper.ts";
import type { Outbox } from "../outbox.ts";
import type { PeerContext } from "../peer-context.ts";
import { type PeerStart, mayHaveRun } from "../peer-start.ts";
import { ReplicaCheck } from "../replica-check/replica-check.ts";
import type { SizeKeeper } from "../size-keeper.ts";
import { isUnreadable } from "../unreadable.ts";
import type { ConfChanges, WritePath } from "../write-path.ts";
import { AdminApplier } from "./admin-applier.ts";
import type { AdminEffect, AdminEntry } from "./admin-entry.ts";
import { type AdminRefusal, targetRefusal } from "./admin-refusal.ts";
import type { MergeOutcome } from "./apply-merge.ts";
import type { SplitOutcome } from "./apply-split.ts";
import { LeaderTransfer } from "./leader-transfer.ts";
import { MergePath, preparedMerge } from "./merge-path.ts";
import { type ChangePeersOwner, proposeChangePeers } from "./propose-change-peers.ts";
import { transferRefusal } from "./transfer-refusal.ts";

/** The peer whose Region is changed. */
export interface RegionChangesOwner {
  readonly self: PeerInfo;
  /** What the peer was made from. */
  readonly start: Pick<PeerStart, "isNew" | "mayBeForgotten">;
  readonly context: PeerContext;
  readonly node: RawNode;
  readonly log: RaftLogStore;
  readonly logger: Logger;
  readonly followers: FollowerView;
  readonly keys: KeySampler;
  readonly logKeeper: LogKeeper;
  readonly outbox: Outbox;
  readonly size: SizeKeeper;
  readonly writes: WritePath;
  applier(): Applier;
  region(): Region;
  isInstalling(): boolean;
  isStopped(): boolean;
  /** Undefined while none is known that may lead. */
  leader(): PeerInfo | undefined;
  /** For log lines (SPEC R8). */
  raftFields(): Record<string, number>;
  wake(): void;
  isAsleep(): boolean;
  /** From now on the Region is this one; PD is to know. */
  becameRegion(region: Region): void;
  /** The peer takes no further part in anything. */
  ended(): void;
}

/**
 * What changes a peer's Region on command, and compares its peers: splits, conf changes, merges, replica checks. Refused where that can be known before, proposed
 * through the log, and carried out on every peer when it is applied.
 */
export class RegionChanges {
  readonly merge: MergePath;
  readonly check: ReplicaCheck;
  readonly transfer: LeaderTransfer;
  readonly #owner: RegionChangesOwner;
  readonly #admin: AdminApplier;
  /** Since when this peer leads, and in which term. */
  #leads = { sinceMs: Number.NEGATIVE_INFINITY, term: 0 };

  constructor(owner: RegionChangesOwner) {
    this.#owner = owner;
    const { context, node, log, self } = owner;
    const { engine, storeId } = context;
    const region = (): Region => owner.region();
    this.#admin = new AdminApplier({
      ...{ engine, storeId, self, node, log, region },
      sessions: () => owner.applier().sessions,
      regionSplit: (outcome) => this.#regionSplit(outcome),
      peersChanged: (after) => this.#peersChanged(after),
      removed: (last, farewells) => this.#removed(last, farewells),
      prepared: () => this.merge.prepared,
      takeSource: (command) => context.takeMergeSource(command),
      mergeChanged: (after, prepared) => this.#mergeChanged(after, prepared),
      mergeRefused: (after, source) => this.#mergeRefused(after, source),
      regionMerged: (outcome) => this.#regionMerged(outcome),
      computeHash: (state) => this.check.computeHash(state),
      verifyHash: (at, hash) => this.check.verifyHash(at, hash),
    });
    this.check = new ReplicaCheck({
      ...{
        engine,
        region,
        peerId: self.id,
        clock: context.clock,
        logger: owner.logger,
        slots: context.hashing,
      },
      isLeader: () => node.isLeader,
      isStopped: () => owner.isStopped(),
      leader: () => owner.leader(),
      send: (to, report) => owner.outbox.sendHash(to, report),
      propose: (body) => this.propose(body),
      handOver: () => this.transferLeader(),
      changed: () => context.regionChanged(owner.region().id),
    });
    this.transfer = new LeaderTransfer({
      ...{ node, clock: context.clock, logger: owner.logger },
      electionTimeoutMs: context.config.electionTicks * context.config.tickMs,
      heartbeatsAreHeld: () => context.heartbeatsAreHeld(),
      wake: () => owner.wake(),
      isAsleep: () => owner.isAsleep(),
      wantsTurn: () => context.wantsTurn(owner.region().id),
      raftFields: () => owner.raftFields(),
    });
    this.merge = new MergePath(
      {
        ...{ engine, node, log, region, logger: owner.logger },
        applyState: () => owner.applier().state,
        sessions: () => owner.applier().sessions,
        others: () => owner.region().peers.filter((peer) => peer.id !== self.id),
        isAlive: (peer) => this.#isAlive(peer),
        isCuttingLog: () => owner.logKeeper.hasMore,
        isInstalling: () => owner.isInstalling(),
        apply: (entries) => owner.applier().apply(entries),
        propose: (body) => this.propose(body),
        handOver: () => this.transferLeader(),
        inquiry: {
          send: (to, question) => owner.outbox.askMerge(to, question),
          findRegionOfKey: (key, found) => context.findRegionOfKey(key, found),
        },
        neighbour: (id) => context.neighbour(id),
      },
      preparedMerge(engine, owner.region().id),
    );
  }

  /** It leads in a new term. */
  becameLeader(): void {
    const { context, node } = this.#owner;
    this.#leads = { sinceMs: context.clock.monotonicMs(), term: node.term };
    this.check.becameLeader();
  }

  /**
   * Whether a snapshot of this moment shows the Region as it is. None shows that it waits to be taken: who got one would
   * serve. None may show an entry without the Region and the configuration that the entry makes.
   */
  get maySnapshot(): boolean {
    const isHalfApplied = this.#owner.applier().isApplyingAdmin;
    return this.merge.prepared === undefined && !this.check.isDamaged && !isHalfApplied;
  }

  /** Applies an entry of the log. @throws RdbError RDB_DATA_CORRUPT on a command that this program does not know */
  apply(entry: AdminEntry, part: WritePart): AdminEffect {
    const { case: kind } = entry.command.command;
    const owner = this.#owner;
    if (kind !== undefined && !isKnownEntry(kind, owner.context.clusterVersion)) {
      throw new RdbError(
        "RDB_DATA_CORRUPT",
        `entry ${entry.state.index} of Region ${owner.region().id} holds a command that this program does not know: upgrade it`,
      );
    }
    // What changes the Region is to change it everywhere soon.
    owner.node.tellCommit();
    return this.#admin.apply(entry, part);
  }

  /** Why no command to change the Region is taken now, if so. */
  refusal(target: AdminTarget): AdminRefusal | undefined {
    return targetRefusal(this.#proposer(), target);
  }

  /**
   * Proposes what changes the Region itself, as its leader; the caller has checked it. What not every Store may know yet
   * is not proposed.
   *
   * @returns whether it is in the log now; nobody waits for it there
   */
  propose(body: CommandBody, changes?: ConfChanges): boolean {
    const { context, node, writes } = this.#owner;
    if (body.case !== undefined && entryRefusal(body.case, context.clusterVersion) !== undefined) {
      return false;
    }
    this.#owner.wake();
    context.wantsTurn(this.#owner.region().id);
    return this.#unlessUnreadable(() => node.isLeader && writes.proposeAdmin(body, changes) === "ok");
  }

  /**
   * Hands the leadership to the peer; to the live one that has most of the log when none is named.
   *
   * @param isLeaving this leader ends, whatever becomes of it
   */
  transferLeader(to = this.#bestSuccessor(), isLeaving = false): void {
    this.#unlessUnreadable(() => {
      if (to !== undefined) {
        this.transfer.ask(to, isLeaving);
      }
      return true;
    });
  }

  /** Who has not answered since the last time may live, but others come first. */
  #bestSuccessor(): PeerId | undefined {
    const { followers } = this.#owner;
    const { damagedPeerIds } = this.check;
    const { unanswered } = this.transfer;
    const other = unanswered && followers.bestSuccessor([...damagedPeerIds, unanswered]);
    return other ?? followers.bestSuccessor(damagedPeerIds);
  }

  /** Proposes a conf change; see {@link proposeChangePeers} for why it may be refused. */
  changePeers(command: ChangePeers): AdminOutcome {
    return proposeChangePeers(this.#proposer(), command);
  }

  /** Why PD's command to hand the leadership over is not obeyed, if so. */
  transferRefusal(epoch: RegionEpoch, toPeerId: PeerId): AdminRefusal | undefined {
    return transferRefusal(this.#proposer(), { epoch, toPeerId });
  }

  /**
   * What is proposed or handed over is sent at once, with entries that a follower lacks. Where the disk does not give
   * those back this peer halts, whoever asked: its Store, and a neighbour that merges with it, go on.
   *
   * @returns false then
   */
  #unlessUnreadable(work: () => boolean): boolean {
    try {
      return work();
    } catch (error) {
      if (!isUnreadable(error)) {
        throw error;
      }
      const { context, self } = this.#owner;
      context.halt(this.#owner.region().id, self.id, error);
      return false;
    }
  }

  #proposer(): ChangePeersOwner {
    const { self, node, log } = this.#owner;
    return {
      ...{ peerId: self.id, node, log },
      region: () => this.#owner.region(),
      isMerging: () => this.merge.keepsLog,
      isAlive: (peer) => this.#isAlive(peer),
      isNewLeader: () => this.#isNewLeader(),
      propose: (body, changes) => this.propose(body, changes),
    };
  }

  #isNewLeader(): boolean {
    const { context, node } = this.#owner;
    const { clock, config } = context;
    const ledMs = clock.monotonicMs() - this.#leads.sinceMs;
    return this.#leads.term !== node.term || ledMs < config.electionTicks * config.tickMs;
  }

  /** Whether another peer can be counted on: its Store is heard of, and the peer has not halted. */
  #isAlive(peer: PeerInfo): boolean {
    return this.#owner.outbox.isAlive(peer) && !this.check.isHalted(peer.id);
  }

  /** The split is submitted: from this moment on what was cut off is nobody's here but the new Regions'. */
  #regionSplit({ region, children, absent }: SplitOutcome): void {
    const { context, keys, logger, node, size, start } = this.#owner;
    this.#owner.becameRegion(region);
    keys.forget();
    const part = size.split(children.length + absent.length + 1);
    const newRegions = children.map((child) => child.region.id);
    logger.info(
      { ...this.#owner.raftFields(), version: region.epoch.version, newRegions },
      "the Region is split",
    );
    // A former run may have applied the entry, and a crash have taken that back, but not what the new peers answered.
    const born = { isNew: true, mayBeForgotten: mayHaveRun(start), campaigns: node.isLeader, size: part };
    for (const child of children) {
      context.beginPeer({ ...child, ...born, takesOver: child.raftState.promised !== undefined });
    }
  }

  #peersChanged(after: Region): void {
    const { node, outbox, logger } = this.#owner;
    const before = this.#owner.region().peers;
    const gone = before.filter(({ id }) => !after.peers.some((peer) => peer.id === id));
    this.#owner.becameRegion(after);
    logger.info({ ...this.#owner.raftFields(), confVer: after.epoch.confVer }, "the Region has other peers");
    // A peer that is not there yet is made by its first heartbeat; one that is gone need not wait for its leader.
    node.sendHeartbeats();
    if (node.isLeader) {
      gone.forEach((peer) => outbox.sendTombstone(peer));
    }
  }

  /** This peer's own removal. */
  #removed(last: Region, farewells: readonly PeerMessage[]): void {
    this.#owner.ended();
    this.#owner.context.removed(last, { peerId: this.#owner.self.id, farewells });
  }

  /** The Region waits to be taken from now on, or serves again. */
  #mergeChanged(after: Region, prepared: PreparedMerge | undefined): void {
    this.merge.changed(prepared);
    this.#owner.becameRegion(after);
    const how = prepared === undefined ? "serves again" : "waits to be taken by a neighbour";
    const fields = { ...this.#owner.raftFields(), version: after.epoch.version };
    this.#owner.logger.info(fields, `the Region ${how}`);
  }

  /** The Region will not take a neighbour that waits for it. */
  #mergeRefused(after: Region, source: RegionId): void {
    this.#owner.becameRegion(after);
    const fields = { ...this.#owner.raftFields(), version: after.epoch.version, source };
    this.#owner.logger.info(fields, "a merge is decided against");
  }

  /** The Region has taken a neighbour. */
  #regionMerged({ region, applyState, sessions }: MergeOutcome): void {
    this.#owner.applier().reset(applyState, sessions);
    this.#owner.size.forget();
    this.check.reload();
    this.#owner.becameRegion(region);
    const fields = { ...this.#owner.raftFields(), version: region.epoch.version };
    this.#owner.logger.info(fields, "a neighbour is taken");
  }
}
