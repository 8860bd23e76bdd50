import { MiB, RdbError, type Region } from "@flaredb/rdb-base";
import type { HardState, Message, Snapshot } from "@flaredb/rdb-raft";
import {
  type ApplyState,
  type Engine,
  type RaftLogStore,
  WritePart,
  putApplyState,
  putRegionLocalState,
  regionKeyRange,
} from "@flaredb/rdb-storage";
import type { ReceivedSnapshot, SnapshotFiles } from "../store/ports.ts";
import type { PeerContext } from "./peer-context.ts";
import { decodeSnapshotDescription } from "./snapshot-description.ts";

/** What a snapshot adds to one pass of the writer, at most: others' writes go in between. */
const PART_MAX_BYTES = 1 * MiB;

/** How an installation ends. */
export interface InstallOutcome {
  /** The peer stopped: give up quietly. */
  isStopped(): boolean;
  finished(region: Region, applyState: ApplyState): void;
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

  constructor(context: PeerContext, log: RaftLogStore) {
    this.#context = context;
    this.#log = log;
  }

  /** A snapshot arrived and goes to the core next. The core may not want it: the next one replaces it. */
  expect(received: ReceivedSnapshot): void {
    const unused = this.#expected;
    this.#expected = received;
    if (unused !== undefined && unused.snapshotId !== received.snapshotId) {
      this.#remove(unused.snapshotId);
    }
  }

  /** Lets go of a snapshot that the core did not take. Called after the turn in which it arrived. */
  dropUnused(): void {
    const unused = this.#expected;
    this.#expected = undefined;
    if (unused !== undefined) {
      this.#remove(unused.snapshotId);
    }
  }

  install(message: Message, snapshot: Snapshot, outcome: InstallOutcome): void {
    const expected = this.#expected;
    this.#expected = undefined;
    void this.#install(message, snapshot, expected, outcome).catch((error: unknown) => outcome.failed(error));
  }

  async #install(
    message: Message,
    snapshot: Snapshot,
    expected: ReceivedSnapshot | undefined,
    outcome: InstallOutcome,
  ): Promise<void> {
    const { region, revision, logTimeMs, snapshotId } = decodeSnapshotDescription(snapshot.data);
    if (expected?.snapshotId !== snapshotId) {
      throw new RdbError("RDB_INTERNAL", `snapshot ${snapshotId} was accepted but its files are not here`);
    }
    const { index, term, confState } = snapshot.metadata;
    const applyState: ApplyState = { index, term, revision, logTimeMs };
    const part = new WritePart();
    putRegionLocalState(part, { state: "Applying", region });
    // Written ahead of the rows it speaks of: Applying says that they are not there yet.
    putApplyState(part, region.id, applyState);
    this.#log.resetToSnapshot(part, { index, term, confState });
    this.#log.append(part, message.entries);
    if (message.term !== 0) {
      const state = { term: message.term, vote: message.vote, commit: message.commit };
      this.#log.setHardState(part, state as HardState);
    }
    part.sync = true;
    this.#context.engine.submit(part);
    await replaceRows({ ...this.#context, region, snapshotId, isStopped: () => outcome.isStopped() });
    if (!outcome.isStopped()) {
      outcome.finished(region, applyState);
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

/**
 * The part of an installation that a restart repeats: from the state Applying to Normal.
 *
 * @throws RdbError RDB_DATA_CORRUPT when the files are damaged or gone
 */
export async function replaceRows(options: {
  readonly engine: Engine;
  readonly snapshotFiles: SnapshotFiles;
  readonly region: Region;
  readonly snapshotId: string;
  readonly isStopped: () => boolean;
}): Promise<void> {
  const { engine, snapshotFiles, region, snapshotId } = options;
  engine.deleteRange("data", region);
  engine.deleteRange("session", regionKeyRange(region.id));
  for await (const rows of snapshotFiles.read(snapshotId, PART_MAX_BYTES)) {
    if (options.isStopped()) {
      return;
    }
    const part = new WritePart();
    for (const row of rows) {
      part.put(row.column, row.key, row.value);
    }
    await written(engine, part);
  }
  const last = new WritePart();
  putRegionLocalState(last, { state: "Normal", region });
  last.sync = true;
  await written(engine, last);
  await snapshotFiles.remove(snapshotId);
}

function written(engine: Engine, part: WritePart): Promise<void> {
  return new Promise((resolve) => engine.submit(part, resolve));
}
