import { RdbError, type Region, assert, rangesOutside } from "@flaredb/rdb-base";
import type { HardState, Message, Snapshot } from "@flaredb/rdb-raft";
import {
  type ApplyState,
  type RaftLogStore,
  type RegionLocalState,
  WritePart,
  deleteDamageMark,
  deleteMergeRecord,
  getRegionLocalState,
  putApplyState,
  putRegionLocalState,
  putTakenRegions,
} from "@flaredb/rdb-storage";
import type { ReceivedSnapshot } from "../store/ports.ts";
import { installRows } from "./install-rows.ts";
import type { PeerContext } from "./peer-context.ts";
import { SessionTable } from "./session-table.ts";
import { decodeSnapshotDescription } from "./snapshot-description.ts";

/** How an installation ends. */
export interface InstallOutcome {
  /** The peer stopped: give up quietly. */
  isStopped(): boolean;
  /** @param sessions what the snapshot's rows tell of clients' writes */
  finished(region: Region, applyState: ApplyState, sessions: SessionTable): void;
  failed(error: unknown): void;
}

/**
 * Replaces a peer's content by a received snapshot, in steps that a restart finds again (DESIGN §3): the log's new
 * beginning and the state Applying, durable; the old rows gone; the new rows, a part at a time; Normal, durable.
 */
export class SnapshotInstaller {
  readonly #context: PeerContext;
  readonly #log: RaftLogStore;
  #expected: ReceivedSnapshot | undefined;
  /** The id of the one that is being installed. */
  #installing: string | undefined;
  #arriving: Region | undefined;
  #installCount = 0;

  constructor(context: PeerContext, log: RaftLogStore) {
    this.#context = context;
    this.#log = log;
  }

  /** The Region of the snapshot that is being installed: the peer is about to have its rows. */
  get arriving(): Region | undefined {
    return this.#arriving;
  }

  /** Installations that have begun. */
  get installCount(): number {
    return this.#installCount;
  }

  /** A snapshot arrived and goes to the core next. The core may not want it: see `dropUnused`. */
  expect(received: ReceivedSnapshot): void {
    assert(this.#expected === undefined, "a snapshot that the core did not take was dropped");
    this.#expected = received;
  }

  /** Lets go of a snapshot that the core did not take. Called after the turn in which it arrived. */
  dropUnused(): void {
    const unused = this.#expected;
    this.#expected = undefined;
    if (unused !== undefined) {
      this.drop(unused);
    }
  }

  /**
   * A snapshot is not for this peer, or has no place here: removes its files, unless it is just the one that is being
   * installed, sent twice.
   */
  drop({ snapshotId }: ReceivedSnapshot): void {
    if (snapshotId !== this.#installing) {
      this.#remove(snapshotId);
    }
  }

  /** The peer is gone for good, and nobody will go on with the installation. */
  dropInstalling(): void {
    if (this.#installing !== undefined) {
      this.#remove(this.#installing);
      this.#installing = undefined;
    }
  }

  install(message: Message, snapshot: Snapshot, outcome: InstallOutcome): void {
    const expected = this.#expected;
    this.#expected = undefined;
    this.#installCount++;
    this.#arriving = decodeSnapshotDescription(snapshot.data).region;
    void this.#install(message, snapshot, expected, outcome).catch((error: unknown) => outcome.failed(error));
  }

  async #install(
    message: Message,
    snapshot: Snapshot,
    expected: ReceivedSnapshot | undefined,
    outcome: InstallOutcome,
  ): Promise<void> {
    const { region, revision, logTimeMs, snapshotId, taken } = decodeSnapshotDescription(snapshot.data);
    if (expected?.snapshotId !== snapshotId) {
      throw new RdbError("RDB_INTERNAL", `snapshot ${snapshotId} was accepted but its files are not here`);
    }
    const { index, term, confState } = snapshot.metadata;
    const applyState: ApplyState = { index, term, revision, logTimeMs };
    const part = new WritePart();
    putRegionLocalState(part, { state: "Applying", region });
    // Written ahead of the rows it speaks of: Applying says that they are not there yet.
    putApplyState(part, region.id, applyState);
    // No snapshot shows a Region that waits to be taken: if this one did, it was rolled back since.
    deleteMergeRecord(part, region.id);
    deleteDamageMark(part, region.id);
    putTakenRegions(part, region.id, taken);
    this.#log.resetToSnapshot(part, { index, term, confState });
    this.#log.append(part, message.entries);
    if (message.term !== 0) {
      const state = { term: message.term, vote: message.vote, commit: message.commit };
      this.#log.setHardState(part, state as HardState);
    }
    part.sync = true;
    const { engine } = this.#context;
    const before = getRegionLocalState(engine, region.id);
    const destroyMerged = this.#context.endMerged(part, region, taken);
    engine.submit(part);
    destroyMerged();
    this.#clearFormerRange(before, region);
    const isStopped = (): boolean => outcome.isStopped();
    this.#installing = snapshotId;
    if (await installRows({ context: this.#context, snapshotId, region, isStopped })) {
      this.#installing = undefined;
      this.#remove(snapshotId);
      const sessions = isStopped() ? undefined : await SessionTable.load(engine, region.id);
      if (sessions !== undefined && !isStopped()) {
        this.#arriving = undefined;
        outcome.finished(region, applyState, sessions);
      }
    }
  }

  /** A Region that was split meanwhile keeps nothing of what it had beyond its range. */
  #clearFormerRange(before: RegionLocalState | undefined, region: Region): void {
    if (before?.state === "Normal") {
      for (const range of rangesOutside(before.region, region)) {
        this.#context.engine.deleteRange("data", range);
      }
    }
  }

  #remove(snapshotId: string): void {
    this.#context.snapshotFiles.remove(snapshotId).catch((error: unknown) => {
      // The files are found again, and removed, at the next start.
      this.#context.logger.warn(
        { snapshotId, error: String(error) },
        "a snapshot's files could not be removed",
      );
    });
  }
}
