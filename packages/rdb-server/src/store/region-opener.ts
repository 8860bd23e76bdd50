import {
  RdbError,
  type Region,
  type RegionId,
  assertNever,
  compareKeys,
  formatRange,
  hasCode,
  peerOnStore,
  rangesOverlap,
} from "@flaredb/rdb-base";
import {
  type ApplyState,
  type Engine,
  RaftLogStore,
  type RegionLocalState,
  destroyRegion,
  getApplyState,
  getRegionLocalState,
  listRegions,
} from "@flaredb/rdb-storage";
import { installRows } from "../peer/install-rows.ts";
import type { PeerContext } from "../peer/peer-context.ts";
import type { ChildStart } from "../peer/admin/apply-split.ts";
import type { PeerStart } from "../peer/peer-start.ts";
import { Peer } from "../peer/peer.ts";
import { snapshotIdOf } from "../peer/snapshot-description.ts";
import { EMPTY_APPLY_STATE } from "./peer-lifecycle.ts";
import type { RegionMap } from "./region-map.ts";
import { writeInitialRegion } from "./region-records.ts";
import { UnreadablePeer } from "./unreadable-peer.ts";

/** Regions that are opened at once: each waits for the disk some times. */
const OPEN_MAX_COUNT = 32;

/** How a command to create a peer ended; any other text says why it was refused. */
export type CreateOutcome = "created" | "exists" | (string & {});

/** Opens the peers of a Store's Regions: those on disk at start, and those that PD has made (DESIGN §5 Bootstrap). */
export class RegionOpener {
  readonly #context: PeerContext;
  readonly #peers: RegionMap;
  readonly #creating = new Map<
    RegionId,
    { readonly region: Region; readonly outcome: Promise<CreateOutcome> }
  >();

  constructor(context: PeerContext, peers: RegionMap) {
    this.#context = context;
    this.#peers = peers;
  }

  /**
   * Opens every Region that is here, finishing what a crash interrupted. Of two that share keys only the newer one runs;
   * one whose records are damaged is halted, and the others run.
   *
   * @throws RdbError RDB_DATA_CORRUPT when it cannot be told which Regions are here; RDB_STORAGE_FAILED
   */
  async openAll(): Promise<void> {
    const all = await listRegions(this.#context.engine);
    const outdated = findOutdated(all.filter(hasRows).map(({ region }) => region));
    // First what goes: a snapshot that is applied again may be of a Region that took it, and has its keys.
    for (const local of all.filter(isGoing)) {
      await this.#open(local, all);
    }
    const staying = all.filter((local) => !isGoing(local)).values();
    const openNext = async (): Promise<void> => {
      for (const local of staying) {
        await this.#openOrHold(local, all, hasRows(local) ? outdated.get(local.region.id) : undefined);
      }
    };
    // All of them end before a failure does: nothing may read any more when the database is closed for it.
    const outcomes = await Promise.allSettled(Array.from({ length: OPEN_MAX_COUNT }, openNext));
    const failure = outcomes.find((outcome) => outcome.status === "rejected");
    if (failure !== undefined) {
      throw failure.reason;
    }
  }

  /** Idempotent; refused where any record of the Region is. Resolves once the records are durable. */
  create(region: Region): Promise<CreateOutcome> {
    const underWay = this.#creating.get(region.id);
    if (underWay !== undefined) {
      return underWay.outcome;
    }
    const known = this.#knownOutcome(region);
    if (known !== undefined) {
      return Promise.resolve(known);
    }
    const outcome = this.#create(region).finally(() => this.#creating.delete(region.id));
    this.#creating.set(region.id, { region, outcome });
    return outcome;
  }

  /** The peer of a Region that a split just made here; it takes the place of an empty one that waited for it. */
  begin(start: PeerStart & ChildStart): void {
    const { id } = start.region;
    const empty = this.#peers.holder(id);
    if (empty !== undefined) {
      this.#peers.remove(id);
      empty.stop();
    }
    this.#peers.add(Peer.begin(this.#context, start));
    this.#context.wantsTurn(id);
    this.#context.regionChanged(id);
  }

  /** What the disk does not give back of one peer stops that peer alone. */
  async #openOrHold(
    local: RegionLocalState,
    all: readonly RegionLocalState[],
    newer?: Region,
  ): Promise<void> {
    try {
      await (newer === undefined ? this.#open(local, all) : this.#openHalted(local.region, newer));
    } catch (error) {
      if (!hasCode(error, "RDB_DATA_CORRUPT")) {
        throw error;
      }
      const peer = new UnreadablePeer(this.#context, local);
      this.#peers.addUnreadable(peer);
      this.#context.logger.error(
        { region: peer.regionId, peer: peer.id, error: RdbError.from(error).message },
        "the peer does not start: its records are damaged",
      );
    }
  }

  async #open({ state, region }: RegionLocalState, all: readonly RegionLocalState[]): Promise<void> {
    const { engine } = this.#context;
    switch (state) {
      case "Tombstone":
        return;
      case "Destroying":
        // Those that wait for their rows get them anew.
        await destroyRegion(
          engine,
          region,
          all.filter((other) => other.state === "Normal").map((other) => other.region),
        );
        return;
      case "Applying":
        await this.#installAgain(region);
        return this.#openPeer(region, false);
      case "Normal":
        return this.#openPeer(region, false);
      case "Uninitialised":
        return this.#openEmpty(region);
      default:
        assertNever(state, "Region phase");
    }
  }

  async #installAgain(region: Region): Promise<void> {
    const { engine, logger } = this.#context;
    const { term, index } = applyStateOf(engine, region);
    const snapshotId = snapshotIdOf({ regionId: region.id, term, index });
    logger.info({ region: region.id, snapshotId }, "an interrupted snapshot is applied again");
    await installRows({ context: this.#context, snapshotId, region, isStopped: () => false });
    await this.#context.snapshotFiles.remove(snapshotId);
  }

  async #openPeer(region: Region, isNew: boolean): Promise<void> {
    const applyState = applyStateOf(this.#context.engine, region);
    this.#peers.add(await Peer.open(this.#context, { region, applyState, isNew }));
    this.#context.wantsTurn(region.id);
  }

  /** Its rows are another's: it must not apply to them, nor take a snapshot, but keeps its place until it is removed. */
  async #openHalted(region: Region, newer: Region): Promise<void> {
    const applyState = applyStateOf(this.#context.engine, region);
    const peer = await Peer.open(this.#context, { region, applyState, isNew: false });
    this.#peers.add(peer);
    const problem = `Region ${newer.id} ${formatRange(newer)} is newer and has keys of it`;
    this.#context.halt(region.id, peer.id, new RdbError("RDB_INTERNAL", problem));
  }

  async #openEmpty(region: Region): Promise<void> {
    const start = { region, applyState: EMPTY_APPLY_STATE, isNew: false, isInitialised: false };
    this.#peers.add(await Peer.open(this.#context, start));
  }

  /** "exists", or why the Region must not be made; undefined when it is to be made. */
  #knownOutcome(region: Region): CreateOutcome | undefined {
    const { storeId, engine } = this.#context;
    if (this.#peers.get(region.id) !== undefined) {
      return "exists";
    }
    if (peerOnStore(region, storeId) === undefined) {
      return `Region ${region.id} has no peer on Store ${storeId}`;
    }
    if (getRegionLocalState(engine, region.id) !== undefined || RaftLogStore.exists(engine, region.id)) {
      return `Store ${storeId} has a record of Region ${region.id} already`;
    }
    const overlapping = this.#peers.overlapping(region, region.id) ?? this.#overlapBeingMade(region);
    return overlapping === undefined
      ? undefined
      : `Region ${region.id} ${formatRange(region)} overlaps Region ${overlapping.id} ${formatRange(overlapping)}`;
  }

  async #create(region: Region): Promise<CreateOutcome> {
    const { engine, logger } = this.#context;
    await writeInitialRegion(engine, region);
    await this.#openPeer(region, true);
    logger.info({ region: region.id, range: formatRange(region) }, "a peer of a new Region is made");
    this.#context.regionChanged(region.id);
    return "created";
  }

  /** Another Region that shares keys with this one and is being made at this moment. */
  #overlapBeingMade(region: Region): Region | undefined {
    for (const { region: other } of this.#creating.values()) {
      if (other.id !== region.id && rangesOverlap(other, region)) {
        return other;
      }
    }
    return undefined;
  }
}

/** Regions of which a newer one has keys, each with such a one. */
function findOutdated(regions: readonly Region[]): Map<RegionId, Region> {
  const outdated = new Map<RegionId, Region>();
  // Those that began before and have not ended: one at most, unless Regions share keys.
  let begun: Region[] = [];
  for (const region of regions.toSorted((a, b) => compareKeys(a.startKey, b.startKey))) {
    begun = begun.filter((other) => rangesOverlap(other, region));
    for (const other of begun) {
      if (isOutdatedBy(region, other)) {
        outdated.set(region.id, other);
      }
      if (isOutdatedBy(other, region)) {
        outdated.set(other.id, region);
      }
    }
    begun.push(region);
  }
  return outdated;
}

function hasRows({ state }: RegionLocalState): boolean {
  return state === "Normal" || state === "Applying";
}

/** Whether another Region has taken keys of it since. Of equals neither is trusted: one of them did not see a change. */
function isOutdatedBy(region: Region, other: Region): boolean {
  return (
    other.id !== region.id && rangesOverlap(other, region) && other.epoch.version >= region.epoch.version
  );
}

function isGoing({ state }: RegionLocalState): boolean {
  return state === "Destroying";
}

/** Ids of received snapshots that a Region in the middle of an installation still needs. */
export async function snapshotsInUse(engine: Engine): Promise<Set<string>> {
  const ids = new Set<string>();
  for (const { state, region } of await listRegions(engine)) {
    const snapshotId = state === "Applying" ? installingId(engine, region) : undefined;
    if (snapshotId !== undefined) {
      ids.add(snapshotId);
    }
  }
  return ids;
}

/** Undefined when the record is damaged: then the peer does not start, and nobody goes on with the snapshot. */
function installingId(engine: Engine, region: Region): string | undefined {
  try {
    const { term, index } = applyStateOf(engine, region);
    return snapshotIdOf({ regionId: region.id, term, index });
  } catch (error) {
    if (hasCode(error, "RDB_DATA_CORRUPT")) {
      return undefined;
    }
    throw error;
  }
}

function applyStateOf(engine: Engine, region: Region): ApplyState {
  const state = getApplyState(engine, region.id);
  if (state === undefined) {
    throw new RdbError("RDB_DATA_CORRUPT", `Region ${region.id} has no ApplyState`);
  }
  return state;
}
