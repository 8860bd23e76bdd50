import {
  type Logger,
  type Peer as PeerInfo,
  type PeerId,
  type Region,
  type RegionId,
  type StoreId,
  assert,
  peerOnStore,
} from "@flaredb/rdb-base";
import type { ClientSession, KvRequest, RegionError } from "@flaredb/rdb-proto";
import type { Message, RawNode, Snapshot, SoftState } from "@flaredb/rdb-raft";
import { RaftLogStore } from "@flaredb/rdb-storage";
import { PeerWatch } from "../metrics/peer-watch.ts";
import type { PeerMessage } from "../store/peer-message.ts";
import type { ReceivedSnapshot } from "../store/ports.ts";
import type { RegionStatus } from "../store/store-handle.ts";
import type { ChildStart } from "./admin/apply-split.ts";
import type { MergePath } from "./admin/merge-path.ts";
import { RegionChanges } from "./admin/region-changes.ts";
import { Applier } from "./applier.ts";
import { BootstrapCampaign } from "./bootstrap-campaign.ts";
import { electionRank } from "./election-timeout.ts";
import { FollowerView } from "./follower-view.ts";
import { KeySampler } from "./key-sampler.ts";
import { LoadMeter } from "./load-meter.ts";
import { LogKeeper } from "./log-keeper.ts";
import { Outbox } from "./outbox.ts";
import type { PeerContext } from "./peer-context.ts";
import { type PeerStart, leaseEndMs, logOptions, voteGuardEndMs } from "./peer-start.ts";
import type { Caller } from "./proposal-queue.ts";
import { makeRaftNode, raftStatus } from "./raft-node.ts";
import { asksForVotes, isCampaignTransfer, wakesSleeper } from "./raft-message-kinds.ts";
import { ReadPath } from "./read-path.ts";
import { ReadyHandler } from "./ready-handler.ts";
import { requestIdentity } from "./request-identity.ts";
import type { ReplicaCheck } from "./replica-check/replica-check.ts";
import { epochNotMatch, errorResponse, notLeader } from "./responses.ts";
import { isRead } from "./serve-read.ts";
import { SessionTable } from "./session-table.ts";
import { SizeKeeper } from "./size-keeper.ts";
import { SleepPath } from "./sleep-path.ts";
import { SnapshotInstaller } from "./snapshot-installer.ts";
import { StaleWatch } from "./stale-watch.ts";
import { SnapshotSource } from "./snapshot-source.ts";
import { WritePath } from "./write-path.ts";

/**
 * One replica of a Region on this Store: a RawNode and what surrounds it. Everything runs inside the loop's turn;
 * nothing here waits. The order of a turn: inputs (step, accept, tick), then `advance`.
 */
export class Peer {
  readonly id: PeerId;
  readonly regionId: RegionId;
  /** How the Region is changed on command. */
  readonly changes: RegionChanges;
  readonly #context: PeerContext;
  readonly #logger: Logger;
  readonly #log: RaftLogStore;
  readonly #node: RawNode;
  readonly #ready: ReadyHandler;
  readonly #applier: Applier;
  readonly #writes: WritePath;
  readonly #watch: PeerWatch;
  readonly #reads: ReadPath;
  readonly #sleep: SleepPath;
  readonly #outbox: Outbox;
  readonly #followers: FollowerView;
  readonly #logKeeper: LogKeeper;
  readonly #snapshots: SnapshotSource;
  readonly #bootstrap: BootstrapCampaign;
  readonly #load = new LoadMeter();
  /** Which keys are asked for. */
  readonly keys = new KeySampler();
  /** What the Region holds, about. */
  readonly size: SizeKeeper;
  /** Where snapshots become the peer's content. */
  readonly installer: SnapshotInstaller;
  /**
   * Before this moment no vote is given: a lease that this peer, or a former run of it, has acknowledged may still hold.
   * The core counts time since it heard of its leader too, but forgets the leader with the term.
   */
  #noVoteBeforeMs: number;
  #region: Region;
  /** The term in which this peer is known to lead; 0 while it does not. */
  #leadsTerm = 0;
  #lastLeader: PeerId | 0 = 0;
  readonly #stale: StaleWatch;
  #isInitialised: boolean;
  #stopped = false;

  static async open(context: PeerContext, start: PeerStart): Promise<Peer> {
    const { options, made } = logOptions<Peer>(context, start);
    const log = await RaftLogStore.open(context.engine, options);
    return made(new Peer(context, start, log, await SessionTable.load(context.engine, start.region.id)));
  }

  /** The peer of a Region that a split just made here. It is there at once: nothing has to be read. */
  static begin(context: PeerContext, start: PeerStart & ChildStart): Peer {
    const { options, made } = logOptions<Peer>(context, start);
    const log = RaftLogStore.begin(context.engine, options, start.raftState);
    const peer = made(new Peer(context, start, log, start.sessions));
    if (start.campaigns === true) {
      peer.#node.campaign();
    }
    return peer;
  }

  private constructor(context: PeerContext, start: PeerStart, log: RaftLogStore, sessions: SessionTable) {
    const info = peerOnStore(start.region, context.storeId);
    assert(info !== undefined, "a Region with a peer on this Store lists it");
    this.id = info.id;
    this.regionId = start.region.id;
    this.#region = start.region;
    this.#stale = new StaleWatch(context.config.stalePeerMs, context.clock.monotonicMs());
    this.#isInitialised = start.isInitialised ?? true;
    this.#context = context;
    this.#log = log;
    this.#logger = context.logger.child({ region: this.regionId, peer: this.id });
    this.#noVoteBeforeMs = voteGuardEndMs(context, start);
    this.#bootstrap = new BootstrapCampaign(start, context.storeId);
    this.#logKeeper = new LogKeeper(log, context.config.logGc);
    this.#snapshots = new SnapshotSource(context, log);
    this.installer = new SnapshotInstaller(context, log);
    const node = makeRaftNode(context, {
      ...{ peerId: this.id, log, logger: this.#logger },
      appliedIndex: start.applyState.index,
      electionRank: () => electionRank(this.#region.peers, this.id, this.#lastLeader),
    });
    this.#node = node;
    const { engine, clock, config, steadyWall } = context;
    const region = (): Region => this.#region;
    const leaderHint = (): RegionError => this.leaderHint();
    const mismatch = (version: number): RegionError => this.epochNotMatch(version);
    this.#writes = new WritePath({
      ...{ config, clock, steadyWall, metrics: context.metrics, node, log, region, leaderHint },
      ...{ epochNotMatch: mismatch, rounds: context.rounds, regionId: this.regionId },
      appliedLogTimeMs: () => this.#applier.state.logTimeMs,
      sessions: () => this.#applier.sessions,
    });
    this.#watch = new PeerWatch({ ...context, writes: this.#writes });
    this.#applier = new Applier(
      {
        ...{ engine, region, epochNotMatch: mismatch },
        pending: this.#writes.pending,
        compactLog: (part, position) => this.#logKeeper.compact(part, position),
        isRemoved: () => this.#stopped,
        isBeingTaken: () => this.changes.merge.prepared !== undefined,
        applyAdmin: (entry, part) => this.changes.apply(entry, part),
      },
      start.applyState,
      sessions,
    );
    this.size = new SizeKeeper(
      {
        engine,
        region: () => (this.#stopped ? undefined : this.#region),
        addedBytes: () => this.#applier.addedBytes,
      },
      start.size,
    );
    if (start.applyState.revision === 0) {
      // Nothing was ever written to it: thousands of new Regions are not to be counted.
      this.size.beginCount()({ bytes: 0, keys: 0 });
    }
    this.#reads = new ReadPath(
      {
        peerId: this.id,
        bootNonce: `${Math.floor(context.startedMs)}.${context.random.nextInt(2 ** 31)}`,
        ...{ clock, metrics: context.metrics, engine, node, leaderHint },
        epochNotMatch: mismatch,
        region: () => (this.#isUnfit() ? undefined : this.#region),
        revision: () => this.#applier.state.revision,
        installCount: () => this.installer.installCount,
        readFailed: (error) => this.check.readFailed(error),
      },
      { leaseMs: config.leaseReads ? config.leaseMs : 0, queueMaxCount: config.raft.readQueueMaxCount },
    );
    const { lease } = this.#reads;
    this.#outbox = new Outbox({
      ...{ peerId: this.id, context, node, lease, snapshots: this.#snapshots, region, start },
      mayLead: () => !this.check.isDamaged,
    });
    this.#followers = new FollowerView({
      ...{ peerId: this.id, node, log, region },
      isAlive: (peer) => this.#outbox.isAlive(peer),
    });
    this.changes = new RegionChanges({
      ...{ self: info, start, context, node, log, region, logger: this.#logger, keys: this.keys },
      ...{
        followers: this.#followers,
        logKeeper: this.#logKeeper,
        outbox: this.#outbox,
        size: this.size,
        writes: this.#writes,
      },
      leader: () => this.#leader(),
      isStopped: () => this.#stopped,
      applier: () => this.#applier,
      isInstalling: () => this.isInstalling,
      raftFields: () => this.#raftFields(),
      wake: () => this.wake(),
      isAsleep: () => this.isAsleep,
      becameRegion: (after) => this.#becameRegion(after),
      ended: () => this.#ended(),
    });
    this.#sleep = new SleepPath(
      {
        clock,
        node,
        lease,
        outbox: this.#outbox,
        followers: this.#followers,
        appliedIndex: () => this.#applier.state.index,
        isIdle: () => this.#isIdle(),
      },
      { idleMs: config.hibernateAfterMs, promiseMs: config.electionTicks * config.tickMs },
    );
    this.#ready = new ReadyHandler({
      ...{ engine, node, log },
      appended: (bytes) => this.#logKeeper.appended(bytes),
      appending: (entries) => this.#watch.appending(entries),
      send: (message) => this.#outbox.send(message),
      applyIsPaused: () => context.applyIsPaused(),
      apply: (entries) => this.#watch.applying(entries, () => this.#applier.apply(entries)),
      installSnapshot: (message, snapshot, done) => this.#installSnapshot(message, snapshot, done),
      readStates: (states) => this.#reads.completeRounds(states),
      softStateChanged: (state) => this.#softStateChanged(state),
      wantsTurn: () => context.wantsTurn(this.regionId),
      halt: (error) => context.halt(this.regionId, this.id, error),
    });
  }

  get region(): Region {
    return this.#region;
  }

  /** False: it waits for its first snapshot, and no key is its own. */
  get isInitialised(): boolean {
    return this.#isInitialised;
  }

  /** What the peer has rows of, or is about to have. */
  get claims(): readonly Region[] {
    const own = this.#isInitialised ? [this.#region] : [];
    return this.arriving === undefined ? own : [...own, this.arriving];
  }

  /** The Region of the snapshot that is being installed. */
  get arriving(): Region | undefined {
    return this.installer.arriving;
  }

  get merge(): MergePath {
    return this.changes.merge;
  }

  get check(): ReplicaCheck {
    return this.changes.check;
  }

  get isLeader(): boolean {
    return this.#node.isLeader;
  }

  /** Where the Region is led from, as far as this peer knows. */
  get leaderStoreId(): StoreId | undefined {
    return this.#node.lead === 0 ? undefined : this.#outbox.peerInfo(this.#node.lead)?.storeId;
  }

  get isAsleep(): boolean {
    return this.#sleep.isAsleep;
  }

  /** Writes and reads that wait here. */
  get waitingCount(): number {
    return this.#writes.waitingCount + this.#reads.waitingCount;
  }

  /** Bytes of entries that this leader has sent and that are not acknowledged. */
  get inFlightBytes(): number {
    return this.#followers.inFlightBytes;
  }

  /** Writes that are taken and not applied yet. */
  get waitingWriteCount(): number {
    return this.#writes.waitingCount;
  }

  /** A message of another peer of the Region. */
  step(message: PeerMessage): void {
    this.#outbox.learn(message.fromPeer);
    if (message.payload.kind === "raft") {
      this.#stale.heard(message.payload.message, this.#context.clock.monotonicMs());
      this.#stepRaft(message.payload.message);
    } else if (message.payload.kind === "hibernate") {
      this.#sleep.step(message.fromPeer, message.payload);
    } else if (message.payload.kind === "replicaHash") {
      this.check.heard(message.fromPeer, message.payload.report);
    }
  }

  get isInstalling(): boolean {
    return this.#ready.isInstalling;
  }

  /** A whole snapshot lies in its files. While another is installed it is dropped: the leader finds out and asks. */
  stepSnapshot(received: ReceivedSnapshot): void {
    if (this.isInstalling) {
      this.installer.drop(received);
      return;
    }
    this.installer.expect(received);
    this.step(received.message);
    this.#ready.run();
    this.installer.dropUnused();
  }

  /**
   * A request whose epoch, keys and limits were checked, once the peer was woken. Answers through the caller.
   *
   * @param session who sends it, if that was said
   */
  accept(
    caller: Caller,
    request: KvRequest,
    fromFollower: boolean,
    session: ClientSession | undefined,
  ): void {
    this.keys.take(request.command);
    if (this.check.isDamaged) {
      caller.respond(errorResponse(caller.requestId, this.leaderHint()));
    } else if (isRead(request.command)) {
      const epochVersion = this.#region.epoch.version;
      this.#reads.accept({ caller, command: request.command, fromFollower, epochVersion });
    } else {
      this.#writes.accept(caller, request.command, requestIdentity(session, request));
    }
  }

  tick(nowMs: number): void {
    this.#node.tick();
    if (this.#bootstrap.shouldCampaign(this.#node.lead !== 0)) {
      this.#node.campaign();
    }
    const { electionTicks, tickMs } = this.#context.config;
    this.#writes.expire(nowMs, electionTicks * tickMs);
    this.#writes.tick();
    this.#reads.expire(nowMs);
    this.#snapshots.expire(nowMs);
    this.#load.tick(nowMs, () => ({
      writtenBytes: this.#applier.addedBytes,
      writtenKeys: this.#applier.state.revision,
      ...this.#reads.counts,
    }));
    this.#logKeeper.deleteMore(this.#context.engine);
    this.changes.merge.tick();
    this.check.tick(nowMs);
    if (this.#node.isLeader) {
      this.#stale.noteContact(nowMs);
      this.#tickLeader(nowMs);
    } else if (this.#stale.shouldAsk(nowMs)) {
      this.askWhetherRemoved();
    }
  }

  unreachable(peerId: PeerId): void {
    this.#node.reportUnreachable(peerId);
  }

  snapshotStatus(toPeerId: PeerId, ok: boolean): void {
    this.#snapshots.ended(toPeerId, ok);
    this.#node.reportSnapshot(toPeerId, ok ? "finish" : "failure");
  }

  /** Something happened to the Region, or may: it ticks again. @param isWanted by somebody: it stays awake for longer */
  wake(isWanted = false): void {
    if (this.#sleep.wake(isWanted)) {
      this.#stale.noteContact(this.#context.clock.monotonicMs());
      this.#context.wantsTurn(this.regionId);
    }
  }

  /** After a wake: if the Store that led the Region is silent, somebody is to lead it as soon as no lease may hold. */
  takeOver(): void {
    if (this.#context.clock.monotonicMs() >= this.#noVoteBeforeMs) {
      this.#sleep.takeOver();
    }
  }

  /** Ends the inputs of a turn: proposes, reads, writes, sends, applies, answers. */
  advance(): void {
    if (this.#stopped) {
      return;
    }
    this.#noticeLeadership();
    this.#writes.flush();
    this.#reads.flush();
    this.#ready.run();
    if (!this.#stopped && this.#writes.flush()) {
      // What was in flight is applied now, and made way.
      this.#ready.run();
    }
    if (!this.#ready.isInstalling) {
      this.#reads.serve();
    }
  }

  /** Answers everybody who waits, and takes no further news. The data stays. */
  stop(): void {
    this.#stopped = true;
    this.#ready.stop();
    this.#writes.stop();
    this.#reads.stop();
    this.#snapshots.stop();
    this.#context.entryCache.forget(this.regionId);
  }

  /** The leader as a refusal tells it. */
  leaderHint(): RegionError {
    return notLeader(this.regionId, this.#leader());
  }

  /** Undefined while none is known, and while it is this peer that must not lead. */
  #leader(): PeerInfo | undefined {
    const { lead } = this.#node;
    return lead === 0 || (lead === this.id && this.check.isDamaged) ? undefined : this.#outbox.peerInfo(lead);
  }

  /** The Region changed since it had the version that a request was made for. */
  epochNotMatch(version: number): RegionError {
    return epochNotMatch(this.#region, version, this.#context.siblings(this.#region, version));
  }

  status(withFollowers = false): RegionStatus {
    const { down, pending } = this.#followers.troubles();
    return {
      ...raftStatus(this.#node, this.#log),
      ...this.check.status,
      region: this.#region,
      peerId: this.id,
      appliedIndex: this.#applier.state.index,
      revision: this.#applier.state.revision,
      approximateSizeBytes: this.size.bytes,
      approximateKeyCount: this.size.keyCount,
      load: this.#load.load,
      isAsleep: this.isAsleep,
      isMerging: this.changes.merge.prepared !== undefined,
      downPeerIds: down,
      pendingPeerIds: pending,
      ...(withFollowers ? { followers: this.#followers.progress() } : {}),
    };
  }

  /** Where its log ends on this Store; undefined when that cannot be read. */
  lastEntry(): ReturnType<RaftLogStore["lastEntry"]> {
    return this.#log.lastEntry();
  }

  /** Answers the core's `snapshot()`. */
  makeSnapshot(): ReturnType<SnapshotSource["make"]> {
    return this.changes.maySnapshot
      ? this.#snapshots.make(this.#region, this.#applier.state)
      : "temporarily-unavailable";
  }

  #stepRaft(message: Message): void {
    if (
      asksForVotes(message) &&
      !isCampaignTransfer(message) &&
      this.#context.clock.monotonicMs() < this.#noVoteBeforeMs
    ) {
      return;
    }
    if (message.type === "MsgTimeoutNow" && this.check.isDamaged) {
      return;
    }
    if (wakesSleeper(message)) {
      this.wake();
    }
    if (this.#node.step(message) === "ok") {
      this.changes.transfer.heard(message);
    }
    if (message.type === "MsgHeartbeat" && message.term === this.#node.term) {
      this.#noVoteBeforeMs = leaseEndMs(this.#context.config, this.#context.clock.monotonicMs());
      this.#bootstrap.end();
    }
  }

  #tickLeader(nowMs: number): void {
    this.#noticeLeadership();
    const compactIndex = this.#logKeeper.compactIndex(nowMs, this.#applier.state.index, () =>
      this.#followers.logNeeds((id, match) => this.#snapshots.indexUnderWay(id, match)),
    );
    if (compactIndex !== undefined && !this.changes.merge.keepsLog) {
      this.#writes.proposeCompaction(compactIndex, this.#node.term);
    }
    if (this.#followers.isTimeToReport(nowMs)) {
      this.#context.regionChanged(this.regionId);
    }
    this.#sleep.tickLeader(nowMs);
  }

  #installSnapshot(message: Message, snapshot: Snapshot, done: () => void): void {
    this.#logger.info(
      { ...this.#raftFields(), snapshot: snapshot.metadata.index },
      "a snapshot is installed",
    );
    this.installer.install(message, snapshot, {
      isStopped: () => this.#stopped,
      finished: (region, applyState, sessions) => {
        this.#isInitialised = true;
        this.changes.merge.changed(undefined);
        this.check.reload();
        this.#becameRegion(region);
        this.#applier.reset(applyState, sessions);
        this.size.forget();
        this.#logKeeper.reset();
        this.#logger.info(this.#raftFields(), "the snapshot is applied");
        done();
      },
      failed: (error) => this.#context.halt(this.regionId, this.id, error),
    });
  }

  #becameRegion(region: Region): void {
    this.#region = region;
    this.#context.rangesChanged();
    this.#context.regionChanged(this.regionId);
  }

  /** It was removed: what is under way is not carried out any more. */
  #ended(): void {
    this.#stopped = true;
    this.#ready.stop();
  }

  /** Nothing is to be done, so the Region may sleep. */
  #isIdle(): boolean {
    const isAtRest = this.waitingCount === 0 && this.#ready.isSettled && !this.#snapshots.isSending;
    return isAtRest && this.changes.merge.prepared === undefined && !this.check.isDamaged;
  }

  /** It has no content that anybody may see. */
  #isUnfit(): boolean {
    return this.#stopped || this.#ready.isInstalling || this.check.isDamaged;
  }

  /** Whoever knows that this peer was removed says so; if no peer is left that it knows of, PD does. */
  askWhetherRemoved(): void {
    this.#logger.info(this.#raftFields(), "no word of a leader for long: the others and PD are asked");
    this.#outbox.sendHibernateToAll("Wake");
    this.#context.askPd(this.regionId);
  }

  /** A peer of another Region is to be made over keys of this one: one of both is behind, and it may be this. */
  standsInTheWay(): void {
    if (!this.isLeader && this.#stale.shouldAsk(this.#context.clock.monotonicMs(), true)) {
      this.askWhetherRemoved();
    }
  }

  #softStateChanged(state: SoftState): void {
    this.#watch.softStateChanged(state);
    const fields = { ...this.#raftFields(), role: state.role, leader: state.lead };
    this.#logger.info(fields, "role or leader changed");
    if (state.lead !== 0) {
      this.#lastLeader = state.lead;
      // Who comes after it was not known when the term began.
      this.#node.redrawElectionTimeout();
    }
    this.#noticeLeadership();
    this.#reads.leaderChanged();
    this.#context.regionChanged(this.regionId);
  }

  /** The core may have won and lost a term within one turn: what counts is how it stands now. */
  #noticeLeadership(): void {
    const { isLeader, term } = this.#node;
    if (isLeader && this.#leadsTerm !== term) {
      this.#leadsTerm = term;
      this.wake();
      this.#writes.becameLeader();
      this.#followers.becameLeader();
      this.changes.becameLeader();
      this.#logKeeper.becameLeader(this.#context.clock.monotonicMs());
    } else if (!isLeader && this.#leadsTerm !== 0) {
      this.#leadsTerm = 0;
      this.#writes.lostLeadership();
    }
  }

  /** SPEC R8. */
  #raftFields(): Record<string, number> {
    const { term, lastIndex, commitIndex } = this.#node;
    return { term, index: lastIndex, commit: commitIndex, applied: this.#applier.state.index };
  }
}
