import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { RdbError } from "@flaredb/rdb-base";
import { type ExitCode, exitCodes } from "../failure.ts";
import { invalid } from "../input/bytes.ts";
import { type Banner, bannerDocument, renderBanner } from "./banner.ts";
import { type ClusterFile, inspectFolder, inspectMembers, newClusterFile, prepareFolders } from "./folder.ts";
import { type FolderLock, lockFolder } from "./lock.ts";
import { rotateLog } from "./member-log.ts";
import type { PlaygroundOptions } from "./options.ts";
import { type ClusterPlan, membersOf, pdAddresses, planCluster } from "./plan.ts";
import { waitForLeftovers } from "./leftovers.ts";
import { checkPorts } from "./ports.ts";
import { showProgress } from "./progress.ts";
import { stopRequests } from "./stop-requests.ts";
import { Supervisor } from "./supervisor.ts";
import { registeredStores } from "./readiness.ts";

const DEFAULT_STORE_COUNT = 3;

/** The processes of a playground that was killed need so long to notice and stop. */
const LEFTOVER_PATIENCE_MS = 8_000;

/** Where the playground talks to. */
export interface Terminal {
  readonly say: (line: string) => void;
  /** One document of JSON instead of all text. */
  readonly json: boolean;
  /** May be drawn over. */
  readonly isInteractive: boolean;
}

/**
 * Starts a cluster on this machine and keeps it running until a signal.
 *
 * @throws RdbError when the ports, the folder or a process do not allow it; then nothing is left running
 */
export async function runPlayground(options: PlaygroundOptions, terminal: Terminal): Promise<ExitCode> {
  const isTemporary = options.dataFolder === undefined;
  const dataFolder = isTemporary
    ? await mkdtemp(join(tmpdir(), "flaredb-"))
    : resolve(options.dataFolder ?? "");
  const removeTemporary = async (): Promise<void> => {
    if (isTemporary) {
      await rm(dataFolder, { recursive: true, force: true });
    }
  };
  try {
    const exitCode = await runIn(dataFolder, isTemporary, options, terminal);
    await removeTemporary();
    return exitCode;
  } catch (error) {
    // What went wrong stands in the logs: they stay where the message says that they are.
    if (!existsSync(join(dataFolder, "logs"))) {
      await removeTemporary();
    }
    throw error;
  }
}

async function runIn(
  dataFolder: string,
  isTemporary: boolean,
  options: PlaygroundOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const startedMs = performance.now();
  const existing = await inspectFolder(dataFolder);
  const file = decideCluster(dataFolder, existing, options, terminal);
  const { basePort, bootstrapStoreCount, regionSplitSize, maxStoreDownTime } = options;
  if (bootstrapStoreCount !== undefined && bootstrapStoreCount > file.storeCount) {
    throw invalid(
      "bootstrap-stores",
      `--bootstrap-stores ${bootstrapStoreCount} must be a whole number from 1 to ${file.storeCount}, the count of Stores`,
    );
  }
  const passedOn = { bootstrapStoreCount, regionSplitSize, maxStoreDownTime };
  const plan = planCluster({ dataFolder, basePort, ...file, ...passedOn });
  await inspectMembers(plan, file);
  if (existing === undefined) {
    await checkPorts(plan);
  }
  const lock = await takeFolder(plan, existing !== undefined);
  const stops = stopRequests();
  const tell = terminal.json ? (): void => {} : terminal.say;
  const supervisor = new Supervisor(plan, tell);
  stops.onRepeated(() => supervisor.kill());
  try {
    await prepareFolders(plan, file);
    await Promise.all(membersOf(plan).map((member) => rotateLog(member.logFile)));
    const info = await showProgress(supervisor.start(stops.signal), terminal);
    const stores = await registeredStores(pdAddresses(plan));
    const banner: Banner = {
      plan,
      regionCount: info.regionCount,
      storeIds: new Map(stores.map((store) => [store.address, store.id])),
      isTemporary,
      startMs: performance.now() - startedMs,
    };
    terminal.say(terminal.json ? JSON.stringify(bannerDocument(banner)) : renderBanner(banner));
    await stops.first;
    tell("\nstopping");
    return exitCodes.done;
  } finally {
    await supervisor.stop();
    stops.dispose();
    await lock.release();
    tell("stopped");
  }
}

// Ports of an existing cluster are looked at with the lock held: a stale lock tells that its former processes may
// just be stopping, and they are waited for first.
async function takeFolder(plan: ClusterPlan, exists: boolean): Promise<FolderLock> {
  await mkdir(plan.dataFolder, { recursive: true });
  const lock = await lockFolder(plan.dataFolder);
  try {
    if (lock.replacedStale) {
      await waitForLeftovers(membersOf(plan), LEFTOVER_PATIENCE_MS);
    }
    if (exists) {
      await checkPorts(plan);
    }
    return lock;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function decideCluster(
  dataFolder: string,
  existing: ClusterFile | undefined,
  options: PlaygroundOptions,
  terminal: Terminal,
): ClusterFile {
  if (existing === undefined) {
    const { storeCount = DEFAULT_STORE_COUNT, splitKeys = [], pdMemberCount } = options;
    return newClusterFile(storeCount, splitKeys, pdMemberCount);
  }
  if (options.pdMemberCount !== undefined && options.pdMemberCount !== existing.pdMemberCount) {
    throw new RdbError(
      "RDB_DATA_FOREIGN",
      `the cluster in ${dataFolder} has ${existing.pdMemberCount} of the placement driver's members: ` +
        `start it without --pd-members, or choose another folder with --data`,
    );
  }
  const storeCount = options.storeCount ?? existing.storeCount;
  if (storeCount < existing.storeCount) {
    throw new RdbError(
      "RDB_DATA_FOREIGN",
      `the cluster in ${dataFolder} has ${existing.storeCount} Stores and its data may be on any of them: ` +
        `start it with --stores ${existing.storeCount} or more, or choose another folder with --data`,
    );
  }
  if (
    options.splitKeys !== undefined &&
    options.splitKeys.join() !== existing.splitKeys.join() &&
    !terminal.json
  ) {
    const keys = existing.splitKeys.map((key) => `"${key}"`).join(", ");
    terminal.say(
      `note: --initial-regions counts at the first start only: the cluster in ${dataFolder} began with ` +
        (keys === "" ? "one Region" : `Regions split at ${keys}`),
    );
  }
  return { ...existing, storeCount };
}
