import {
  type Clock,
  type Logger,
  MINUTE_MS,
  type Peer as PeerInfo,
  type PeerId,
  RdbError,
  type Region,
  SECOND_MS,
  hasCode,
} from "@flaredb/rdb-base";
import {
  type ApplyState,
  type Engine,
  WritePart,
  deleteDamageMark,
  hasDamageMark,
  putDamageMark,
  regionKeyRange,
} from "@flaredb/rdb-storage";
import type { ReplicaHash } from "../../store/peer-message.ts";
import type { RegionStatus } from "../../store/store-handle.ts";
import type { CommandBody } from "../commands.ts";
import { HaltedPeers } from "./halted-peers.ts";
import { HashRound, hashesEqual } from "./hash-round.ts";
import type { HashingSlots } from "./hashing-slots.ts";
import { hashRegion } from "./region-hash.ts";

/** What a replica check works on. */
export interface ReplicaCheckOwner {
  readonly peerId: PeerId;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly slots: HashingSlots;
  region(): Region;
  isLeader(): boolean;
  isStopped(): boolean;
  /** Undefined while none is known. */
  leader(): PeerInfo | undefined;
  send(to: PeerInfo, report: ReplicaHash): void;
  propose(body: CommandBody): boolean;
  /** Lets another peer lead. */
  handOver(): void;
  /** PD must know. */
  changed(): void;
}

/**
 * How long a leader waits for the peers' hashes before it, and its Store, begin another check: longer than as many large
 * Regions take as a Store hashes at once.
 */
const ROUND_MAX_MS = 2 * MINUTE_MS;
/** How often a damaged peer says so to its leader, which may be a new one; and how often it gives a leadership away. */
const DAMAGED_INTERVAL_MS = 5 * SECOND_MS;
const DAMAGED: ReplicaHash = { index: 0, hash: new Uint8Array(0), isDamaged: true, isHalted: false };

/**
 * Compares the rows of a Region's peers (DESIGN §5, ADR 13). ComputeHash fixes the entry; each peer hashes what it has
 * there, and tells its leader. What most voters have is right: VerifyHash says it to all, and whoever has something
 * else, be it the leader, is damaged from then on. A damaged peer serves nobody, gives no snapshot, does not campaign,
 * and waits to be replaced; its log is sound, so it goes on to vote and to acknowledge. It hashes its rows as well, but
 * its hash counts for nobody: if they are all what most voters have, it was marked for something that passed, and is sound
 * again.
 */
export class ReplicaCheck {
  readonly #owner: ReplicaCheckOwner;
  #round: HashRound | undefined;
  /** What others found at an entry that is not applied here yet. */
  #early: HashRound | undefined;
  /** What this peer found in the round at hand. */
  #ownHash: Uint8Array | undefined;
  /** The peer was marked, or met damage again, after its hash of this round was begun: the hash clears nothing. */
  #isTainted = false;
  /** The round that VerifyHash is in the log for. */
  #proposed: HashRound | undefined;
  /** What VerifyHash said of the round at hand, which this peer may not have hashed yet. */
  #expected: Uint8Array | undefined;
  /** Until then a check that was asked for here is under way. */
  #busyUntilMs = 0;
  #isDamaged: boolean;
  /** The leader's: of others. */
  #damaged = new Set<PeerId>();
  readonly #halted: HaltedPeers;
  #verifiedIndex = 0;
  #nextDamagedMs = 0;
  #nextReadLogMs = Number.NEGATIVE_INFINITY;

  constructor(owner: ReplicaCheckOwner) {
    this.#owner = owner;
    this.#halted = new HaltedPeers(owner.clock);
    this.#isDamaged = hasDamageMark(owner.engine, owner.region().id);
  }

  /** This peer's own rows are not what they should be. */
  get isDamaged(): boolean {
    return this.#isDamaged;
  }

  /** Other peers of whom the leader knows that they are damaged. */
  get damagedPeerIds(): readonly PeerId[] {
    const others = this.#owner.region().peers.filter(({ id }) => id !== this.#owner.peerId);
    return others.map(({ id }) => id).filter((id) => this.#damaged.has(id) || this.#halted.has(id));
  }

  /** Whether the leader knows of another peer that it has halted, and takes no part in anything. */
  isHalted(id: PeerId): boolean {
    return this.#halted.has(id);
  }

  /** The last entry at which this peer had what most voters had; 0: none in this leadership. */
  get verifiedIndex(): number {
    return this.#verifiedIndex;
  }

  /** What heartbeats and health tell of it. */
  get status(): Pick<RegionStatus, "isDamaged" | "damagedPeerIds" | "verifiedIndex"> {
    const { isDamaged, damagedPeerIds, verifiedIndex } = this;
    return { isDamaged, damagedPeerIds, verifiedIndex };
  }

  /** Whether a check that this leader began has not come to its end. */
  isUnderWay(nowMs: number): boolean {
    return nowMs < this.#busyUntilMs && this.#owner.isLeader();
  }

  /** Begins a check, as the leader. @returns whether it is in the log */
  request(nowMs: number): boolean {
    const value = { $typeName: "rdb.v1.ComputeHashCommand" } as const;
    const isProposed = this.#owner.propose({ case: "computeHash", value });
    if (isProposed) {
      this.#busyUntilMs = nowMs + ROUND_MAX_MS;
    }
    return isProposed;
  }

  becameLeader(): void {
    this.#damaged.clear();
    this.#halted.clear();
    this.#verifiedIndex = 0;
    this.#busyUntilMs = 0;
  }

  /** All rows came anew from another peer, or from those that were merged: what the disk says counts. */
  reload(): void {
    const owner = this.#owner;
    this.#round = undefined;
    this.#isDamaged = hasDamageMark(owner.engine, owner.region().id);
  }

  /** ComputeHash is applied and submitted: in this very turn, so that the rows are those of that entry. */
  computeHash(state: ApplyState): void {
    const { engine, slots, logger } = this.#owner;
    const region = this.#owner.region();
    const round = this.#early?.index === state.index ? this.#early : new HashRound(state.index);
    this.#round = round;
    this.#expected = undefined;
    this.#ownHash = undefined;
    this.#isTainted = false;
    const release = slots.reserve();
    if (release === undefined) {
      logger.info({ index: state.index }, "the Region's rows are not hashed here");
      return;
    }
    const cursors = {
      data: engine.openCursor("data", region),
      session: engine.openCursor("session", regionKeyRange(region.id)),
    };
    void hashRegion({
      ...{ region, state, cursors },
      take: (bytes) => slots.take(bytes),
      isStopped: () => this.#owner.isStopped() || this.#round !== round,
    })
      .then((hash) => {
        if (hash !== undefined) {
          this.#hashed(round, hash);
        }
      })
      .catch((error: unknown) => this.readFailed(error))
      .finally(release);
  }

  /** VerifyHash is applied. */
  verifyHash(index: number, hash: Uint8Array): void {
    this.#busyUntilMs = 0;
    if (this.#round?.index === index) {
      this.#expected = hash;
      this.#compare(this.#round);
    }
  }

  /** Another peer says what it found. */
  heard(from: PeerInfo, report: ReplicaHash): void {
    if (!this.#owner.isLeader()) {
      return;
    }
    if (report.isHalted) {
      this.#noteHalted(from.id);
    } else if (report.isDamaged) {
      this.#noteDamaged([from.id]);
    } else if (this.#round?.index === report.index) {
      this.#round.take(from.id, report.hash);
      this.#decide(this.#round);
    } else if (report.index > (this.#round?.index ?? 0)) {
      this.#early = this.#early?.index === report.index ? this.#early : new HashRound(report.index);
      this.#early.take(from.id, report.hash);
    }
  }

  /**
   * Rows of the peer could not be read. Damage is only what the rows themselves are: whatever else fails may pass. And
   * where no other voter is known to be sound there is nobody to replace this one from: it refuses what it cannot read,
   * and serves the rest.
   */
  readFailed(error: unknown): void {
    const { logger, clock } = this.#owner;
    const reason = RdbError.from(error).message;
    const isDamage = hasCode(error, "RDB_DATA_CORRUPT");
    if (isDamage && this.#hasSoundVoter()) {
      this.quarantine(reason);
    } else if (clock.monotonicMs() >= this.#nextReadLogMs) {
      this.#nextReadLogMs = clock.monotonicMs() + DAMAGED_INTERVAL_MS;
      logger.error({ reason, isDamage }, "rows of the Region cannot be read: what needs them is refused");
    }
  }

  /** Ends the quarantine of a peer all of whose rows are what most have, if nothing spoke against it meanwhile. */
  #release(round: HashRound, hash: Uint8Array): void {
    const owner = this.#owner;
    if (!this.#isDamaged || this.#isTainted) {
      return;
    }
    this.#isDamaged = false;
    const part = new WritePart();
    deleteDamageMark(part, owner.region().id);
    part.sync = true;
    owner.engine.submit(part);
    owner.logger.info({ index: round.index }, "the peer has the same rows as most: it is damaged no more");
    this.#tell(round, hash);
  }

  /** The peer's rows are not what they should be, as was found in one way or another. Idempotent. */
  quarantine(reason: string): void {
    const owner = this.#owner;
    this.#isTainted = true;
    if (this.#isDamaged || owner.isStopped()) {
      return;
    }
    this.#isDamaged = true;
    const part = new WritePart();
    putDamageMark(part, owner.region().id);
    part.sync = true;
    owner.engine.submit(part);
    owner.logger.error({ reason }, "the peer is damaged: it serves nobody and waits to be replaced");
    owner.changed();
  }

  tick(nowMs: number): void {
    if (!this.#isDamaged || nowMs < this.#nextDamagedMs) {
      return;
    }
    this.#nextDamagedMs = nowMs + DAMAGED_INTERVAL_MS;
    const leader = this.#owner.leader();
    if (this.#owner.isLeader()) {
      this.#owner.handOver();
    } else if (leader !== undefined) {
      this.#owner.send(leader, DAMAGED);
    }
  }

  #hasSoundVoter(): boolean {
    const owner = this.#owner;
    return owner
      .region()
      .peers.some(({ id, role }) => role !== "Learner" && id !== owner.peerId && !this.#damaged.has(id));
  }

  #hashed(round: HashRound, hash: Uint8Array): void {
    const owner = this.#owner;
    if (this.#round !== round || owner.isStopped()) {
      return;
    }
    this.#ownHash = hash;
    if (!this.#isDamaged) {
      this.#tell(round, hash);
    }
    this.#compare(round);
  }

  /** The leader learns what this peer found. */
  #tell(round: HashRound, hash: Uint8Array): void {
    const owner = this.#owner;
    const leader = owner.leader();
    round.take(owner.peerId, hash);
    if (owner.isLeader()) {
      this.#decide(round);
    } else if (leader !== undefined) {
      owner.send(leader, { index: round.index, hash, isDamaged: false, isHalted: false });
    }
  }

  /** What the leader makes of the hashes so far. */
  #decide(round: HashRound): void {
    const { logger, peerId } = this.#owner;
    const voters = this.#owner
      .region()
      .peers.filter(({ role }) => role !== "Learner")
      .map(({ id }) => id);
    const verdict = round.verdict(voters);
    if (verdict.kind === "divided") {
      this.#busyUntilMs = 0;
      logger.error(
        { index: round.index, voters },
        "the Region's peers differ, and no majority says who is right",
      );
    } else if (verdict.kind === "majority") {
      this.#noteDamaged(verdict.differing.filter((id) => id !== peerId));
      this.#noteSound([...this.#damaged].filter((id) => hashesEqual(round.hashOf(id), verdict.hash)));
      if (this.#proposed !== round && this.#expected === undefined) {
        this.#proposeVerdict(round, verdict.hash);
      }
    }
  }

  #proposeVerdict(round: HashRound, hash: Uint8Array): void {
    const value = { $typeName: "rdb.v1.VerifyHashCommand", index: BigInt(round.index), hash } as const;
    if (this.#owner.propose({ case: "verifyHash", value })) {
      this.#proposed = round;
    }
  }

  #noteHalted(id: PeerId): void {
    if (this.#halted.note(id)) {
      this.#owner.logger.error({ haltedPeer: id }, "a peer has halted: it is to be replaced");
      this.#owner.changed();
    }
  }

  #noteDamaged(ids: readonly PeerId[]): void {
    const fresh = ids.filter((id) => !this.#damaged.has(id));
    if (fresh.length > 0) {
      fresh.forEach((id) => this.#damaged.add(id));
      this.#owner.logger.error(
        { damagedPeers: fresh },
        "peers have other rows than most: they are to be replaced",
      );
      this.#owner.changed();
    }
  }

  /** Peers that were damaged have shown that they have what most have. */
  #noteSound(ids: readonly PeerId[]): void {
    if (ids.length > 0) {
      ids.forEach((id) => this.#damaged.delete(id));
      this.#owner.logger.info({ soundPeers: ids }, "damaged peers have the same rows as most again");
      this.#owner.changed();
    }
  }

  #compare(round: HashRound): void {
    const own = this.#ownHash;
    if (own === undefined || this.#expected === undefined) {
      return;
    }
    if (hashesEqual(own, this.#expected)) {
      this.#verifiedIndex = round.index;
      this.#release(round, own);
      this.#owner.changed();
    } else {
      this.quarantine(`its rows at entry ${round.index} are not what most peers have`);
    }
  }
}
