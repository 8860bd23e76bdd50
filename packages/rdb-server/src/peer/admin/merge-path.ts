import {
  type Index,
  type Logger,
  type Peer,
  RdbError,
  type Region,
  type RegionEpoch,
  type RegionId,
  assert,
  epochsEqual,
  index,
  term,
} from "@flaredb/rdb-base";
import { type CommitMergeCommand, regionToProto } from "@flaredb/rdb-proto";
import type { Entry, RawNode } from "@flaredb/rdb-raft";
import {
  type ApplyState,
  type Engine,
  type PreparedMerge,
  type RaftLogStore,
  WritePart,
  getMergeRecord,
  getRegionLocalState,
} from "@flaredb/rdb-storage";
import type { AdminOutcome, MergeRegion } from "../../store/admin-command.ts";
import type { CommandBody } from "../commands.ts";
import type { SessionTable } from "../session-table.ts";
import type { MergeSource } from "./apply-merge.ts";
import { sessionRows } from "./apply-split.ts";
import { InFlight } from "./in-flight.ts";
import {
  type CarriedEntries,
  carriedFromProto,
  carriedToProto,
  catchUp,
  entriesToCarry,
} from "./merge-entries.ts";
import { MERGE_ASK_TICKS, MergeInquiry, type MergeInquiryOwner } from "./merge-inquiry.ts";
import { hasPassed } from "./merge-plan.ts";
import { type LocalTarget, proposePrepareMerge } from "./propose-merge.ts";

/** What merges of one peer's Region work on. */
export interface MergePathOwner {
  readonly engine: Engine;
  readonly logger: Logger;
  readonly node: RawNode;
  readonly log: RaftLogStore;
  region(): Region;
  applyState(): ApplyState;
  sessions(): Pick<SessionTable, "rowIndexes" | "client" | "sizeBytes">;
  /** The Region's other peers. */
  others(): readonly Peer[];
  isAlive(peer: Peer): boolean;
  isCuttingLog(): boolean;
  isInstalling(): boolean;
  /** Applies entries that are in the log and known to be committed. */
  apply(entries: readonly Entry[]): void;
  propose(body: CommandBody): boolean;
  /** Hands the leadership to another peer. */
  handOver(): void;
  readonly inquiry: Pick<MergeInquiryOwner, "send" | "findRegionOfKey">;
  /** The peer of another Region on this Store. */
  neighbour(regionId: RegionId): Neighbour | undefined;
}

/** Another Region's peer on the same Store, as a merge sees it. */
export interface Neighbour {
  readonly region: Region;
  readonly isInitialised: boolean;
  readonly merge: MergePath;
  wake(): void;
}

/**
 * The part of one peer in merges: as source's leader it proposes to wait, as source's peer beside the target's leader it
 * brings the merge there, as target's leader it proposes to take the source, and as source's leader again it proposes
 * to serve on when the target never will (ADR 11). All by ticks and by what lies on this Store: nothing is awaited, so
 * that whoever leads after a crash or a change of leaders goes on.
 */
export class MergePath {
  readonly #owner: MergePathOwner;
  readonly #prepareInFlight: InFlight;
  readonly #commitInFlight: InFlight;
  readonly #rollbackInFlight: InFlight;
  readonly #refuseInFlight: InFlight;
  readonly #inquiry: MergeInquiry;
  #prepared: PreparedMerge | undefined;
  #ticksWithoutTarget = 0;
  #isAheadOfCore = false;

  constructor(owner: MergePathOwner, prepared: PreparedMerge | undefined) {
    this.#owner = owner;
    this.#prepared = prepared;
    this.#prepareInFlight = new InFlight(owner.node);
    this.#commitInFlight = new InFlight(owner.node);
    this.#rollbackInFlight = new InFlight(owner.node);
    this.#refuseInFlight = new InFlight(owner.node);
    this.#inquiry = new MergeInquiry({ node: owner.node, ...owner.inquiry });
  }

  /** Set while the Region waits to be taken: it serves nobody, and nothing else changes it. */
  get prepared(): PreparedMerge | undefined {
    return this.#prepared;
  }

  /** Whether the log must stay as it is: its end travels to the target. */
  get keepsLog(): boolean {
    return this.#prepared !== undefined || this.#prepareInFlight.isUnderWay;
  }

  /** It has appended or applied for a merge what its core does not know of: it must not run on. */
  get isAheadOfCore(): boolean {
    return this.#isAheadOfCore;
  }

  /** Of what the Region remembers of clients' writes. */
  get sessionBytes(): number {
    return this.#owner.sessions().sizeBytes;
  }

  /** An entry of the log, or a snapshot, changed it. */
  changed(prepared: PreparedMerge | undefined): void {
    this.#prepared = prepared;
    this.#ticksWithoutTarget = 0;
    this.#inquiry.restart();
  }

  /** Proposes that the Region waits to be taken by its neighbour. */
  prepare(command: MergeRegion): AdminOutcome {
    const owner = {
      ...this.#owner,
      isMerging: () => this.keepsLog,
      sessionBytes: () => this.sessionBytes,
    };
    const target = this.#owner.neighbour(command.target.id);
    const outcome = proposePrepareMerge(
      owner,
      command,
      target === undefined ? undefined : localTarget(target),
    );
    if (outcome.ok) {
      this.#prepareInFlight.proposed();
    }
    return outcome;
  }

  /** At each tick of every peer of a Region that waits. */
  tick(): void {
    const prepared = this.#prepared;
    if (prepared === undefined) {
      return;
    }
    const target = this.#owner.neighbour(prepared.target.id);
    this.#inquiry.tick(prepared, target?.isInitialised === true);
    if (this.#inquiry.isRefused(prepared)) {
      this.#proposeRollback(prepared);
    } else if (target === undefined || !target.isInitialised) {
      this.#withoutTarget(prepared);
    } else if (hasPassed(target.region.epoch, prepared.target.epoch)) {
      this.#proposeRollback(prepared);
    } else if (epochsEqual(target.region.epoch, prepared.target.epoch)) {
      target.wake();
      if (this.#inquiry.hasGivenUp) {
        target.merge.refuse(this.#owner.region().id, prepared.target.epoch);
        return;
      }
      const carried = entriesToCarry(this.#owner.log, prepared.minMatchedIndex, prepared.prepareIndex);
      if (typeof carried !== "string") {
        target.merge.#proposeCommit(this.#owner.region(), carried);
      }
    }
  }

  /**
   * Ends the peer's work at its PrepareMerge, which it reaches with the entries that the target carries. What it still
   * lacks goes to its log first: after a crash before the merge it stands where any peer of the source could.
   *
   * @throws RdbError when it cannot get there now; it may have got somewhere: see `isAheadOfCore`
   */
  surrender(command: CommitMergeCommand): MergeSource {
    const { engine, log } = this.#owner;
    const region = this.#owner.region();
    if (this.#owner.isInstalling()) {
      throw new RdbError(
        "RDB_UNAVAILABLE",
        `Region ${region.id} is installing a snapshot and cannot be taken`,
      );
    }
    const carried = carriedFromProto(command);
    const missing = catchUp(log, this.#owner.applyState().index, carried);
    if (typeof missing === "string") {
      throw new RdbError("RDB_UNAVAILABLE", `Region ${region.id} cannot be taken: ${missing}`);
    }
    this.#catchUp(missing.own, missing.carried);
    const prepared = this.#prepared;
    assert(
      prepared !== undefined && BigInt(prepared.prepareIndex) === command.commitIndex,
      "a source that is taken stands at the merge that the target names",
    );
    const table = this.#owner.sessions();
    const rows = sessionRows({ engine, sessions: () => table, region: () => region });
    return {
      ...{ prepared, log, region: this.#owner.region(), applyState: this.#owner.applyState() },
      memory: { rows, table },
    };
  }

  /** Another Store knows that the target never takes this Region, whose PrepareMerge is that entry. */
  heardRefused(prepareIndex: Index): void {
    this.#inquiry.refused(prepareIndex);
  }

  /** As the target's leader: decides against a source that has waited for too long. Only counts if nothing is decided. */
  refuse(source: RegionId, expected: RegionEpoch): void {
    const { node, logger } = this.#owner;
    const isOpen = this.#prepared === undefined && epochsEqual(this.#owner.region().epoch, expected);
    if (!node.isLeader || !isOpen || this.#refuseInFlight.isUnderWay) {
      return;
    }
    const proposed = this.#owner.propose({
      case: "refuseMerge",
      value: { $typeName: "rdb.v1.RefuseMergeCommand", sourceId: BigInt(source) },
    });
    if (proposed) {
      this.#refuseInFlight.proposed();
      logger.info({ source }, "a neighbour that has waited for too long is not to be taken");
    }
  }

  /** As the target's leader: takes the source. Only counts while this Region is as the source wants it. */
  #proposeCommit(source: Region, carried: CarriedEntries): void {
    const { node, logger } = this.#owner;
    if (!node.isLeader || this.#prepared !== undefined || this.#commitInFlight.isUnderWay) {
      return;
    }
    const commitIndex = BigInt(carried.previousIndex + carried.entries.length);
    const proposed = this.#owner.propose({
      case: "commitMerge",
      value: {
        $typeName: "rdb.v1.CommitMergeCommand",
        source: regionToProto(source),
        commitIndex,
        ...carriedToProto(carried),
      },
    });
    if (proposed) {
      this.#commitInFlight.proposed();
      logger.info({ source: source.id }, "a neighbour is to be taken");
    }
  }

  #proposeRollback({ prepareIndex, target }: PreparedMerge): void {
    const { node, logger } = this.#owner;
    if (!node.isLeader || this.#rollbackInFlight.isUnderWay) {
      return;
    }
    const proposed = this.#owner.propose({
      case: "rollbackMerge",
      value: { $typeName: "rdb.v1.RollbackMergeCommand", prepareIndex: BigInt(prepareIndex) },
    });
    if (proposed) {
      this.#rollbackInFlight.proposed();
      logger.info({ target: target.id }, "a merge is rolled back: its target changed");
    }
  }

  /**
   * A target that was here and passed, before it was taken itself or left, never took the source. Without that it cannot
   * be told here what became of the merge: whoever has a target is to lead.
   */
  #withoutTarget(prepared: PreparedMerge): void {
    const { id, epoch, peers } = prepared.target;
    const last = getRegionLocalState(this.#owner.engine, id);
    const isGone = last?.state === "Tombstone" || last?.state === "Destroying";
    // What an empty peer leaves names itself alone, at an epoch of which it only heard: it tells nothing.
    if (isGone && last.region.peers.length >= peers.length && hasPassed(last.region.epoch, epoch)) {
      this.#proposeRollback(prepared);
      return;
    }
    this.#ticksWithoutTarget++;
    if (this.#owner.node.isLeader && this.#ticksWithoutTarget % MERGE_ASK_TICKS === 0) {
      this.#owner.handOver();
    }
  }

  #catchUp(own: readonly Entry[], carried: readonly Entry[]): void {
    const { index: before } = this.#owner.applyState();
    this.#append(carried);
    try {
      this.#owner.apply([...own, ...carried]);
    } finally {
      this.#isAheadOfCore = carried.length > 0 || this.#owner.applyState().index > before;
    }
  }

  /** Committed entries that this peer's log lacks, or has others in the place of. */
  #append(entries: readonly Entry[]): void {
    const last = entries.at(-1);
    if (last === undefined) {
      return;
    }
    const { engine, log } = this.#owner;
    const { hardState } = log;
    const part = new WritePart();
    // Logs that have the same entry at one place are the same up to it, and this one may go on behind it.
    if (log.term(last.index) !== last.term) {
      log.append(part, entries);
    }
    log.setHardState(part, {
      term: term(Math.max(hardState.term, last.term)),
      vote: hardState.term < last.term ? 0 : hardState.vote,
      commit: index(Math.max(hardState.commit, last.index)),
    });
    engine.submit(part);
  }
}

/** How far a merge of the Region was when the Store stopped. @throws RdbError RDB_DATA_CORRUPT */
export function preparedMerge(engine: Engine, source: RegionId): PreparedMerge | undefined {
  const record = getMergeRecord(engine, source);
  return record?.kind === "Prepared" ? record : undefined;
}

function localTarget({ region, isInitialised, merge }: Neighbour): LocalTarget {
  return { region, isInitialised, isMerging: merge.keepsLog, sessionBytes: merge.sessionBytes };
}
