import { MiB, RdbError, type Region, SECOND_MS } from "@flaredb/rdb-base";
import {
  WritePart,
  applySnapshot,
  putDamageMark,
  putRegionLocalState,
  regionKeyRange,
} from "@flaredb/rdb-storage";
import type { PeerContext } from "./peer-context.ts";

/** What a snapshot adds to one pass of the writer, at most: others' writes go in between. */
const INSTALL_PART_MAX_BYTES = 1 * MiB;
/** How often the same files are tried when they cannot be read to their end. */
const INSTALL_MAX_TRIES = 5;
/** Pause before the next try; the disk may be short of something for a moment. */
const INSTALL_RETRY_MS = 1 * SECOND_MS;

export interface InstallRowsOptions {
  readonly context: Pick<PeerContext, "engine" | "snapshotFiles" | "clock" | "logger">;
  readonly snapshotId: string;
  /** As the snapshot has it. Its state is Applying. */
  readonly region: Region;
  readonly isStopped: () => boolean;
}

/**
 * Replaces a Region's rows by those of received files. The state stays Applying until all are there, as after a crash:
 * so the same files may be tried again, from the first row on. Nobody is told anything meanwhile, and nothing is served.
 * When they cannot be read at all, the peer is empty and damaged: its log goes on from the snapshot, which is all that
 * its votes and acknowledgements speak of, and its leader has it replaced.
 *
 * @returns false when it was stopped
 */
export async function installRows(options: InstallRowsOptions): Promise<boolean> {
  const { context, snapshotId, region, isStopped } = options;
  const { engine, snapshotFiles, clock, logger } = context;
  for (let tries = 1; ; tries++) {
    try {
      const batches = snapshotFiles.read(snapshotId, INSTALL_PART_MAX_BYTES);
      return await applySnapshot({ engine, region, batches, isStopped });
    } catch (error) {
      const { message: reason } = RdbError.from(error);
      logger.warn({ region: region.id, snapshotId, tries, reason }, "a snapshot's files could not be read");
    }
    if (!isStopped() && tries < INSTALL_MAX_TRIES) {
      await new Promise<void>((resolve) => clock.setTimer(INSTALL_RETRY_MS, resolve));
    }
    // If it is stopped, the range may be another Region's by now.
    if (isStopped()) {
      return false;
    }
    if (tries === INSTALL_MAX_TRIES) {
      logger.error({ region: region.id, snapshotId }, "a snapshot is lost: the peer is damaged");
      await leaveEmpty(options);
      return true;
    }
  }
}

async function leaveEmpty({ context: { engine }, region }: InstallRowsOptions): Promise<void> {
  engine.deleteRange("data", region);
  engine.deleteRange("session", regionKeyRange(region.id));
  const part = new WritePart();
  putDamageMark(part, region.id);
  putRegionLocalState(part, { state: "Normal", region });
  part.sync = true;
  await new Promise<void>((resolve) => engine.submit(part, resolve));
}
