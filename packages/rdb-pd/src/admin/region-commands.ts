import {
  type Region,
  RdbError,
  type RegionId,
  type StoreId,
  compareKeys,
  formatKey,
  formatRange,
  keyInRange,
} from "@flaredb/rdb-base";
import type { RegionInfo } from "../cluster/region-info.ts";
import { checkRegionCommand } from "../heartbeat/stream-commands.ts";
import { pdLimits } from "../limits.ts";
import type { OperatorRecord } from "../operator/operator-record.ts";
import { planFor } from "../placement/plans.ts";
import { stepsTowards } from "../placement/steps/steps-towards.ts";
import { type AdminScene, type AdminSceneOptions, busy, noIds, refused } from "./admin-scene.ts";
import { head } from "./peer-commands.ts";

/** Least parts of a split. */
const PARTS_MIN_COUNT = 2;

/** People's commands about whole Regions. */
export class RegionCommands {
  readonly #scene: AdminScene;
  readonly #options: AdminSceneOptions;

  constructor(scene: AdminScene, options: AdminSceneOptions) {
    this.#scene = scene;
    this.#options = options;
  }

  /**
   * Cuts the Region at the keys, in any order; without keys into `partCount` parts of about equal size (0: two).
   *
   * @throws RdbError RDB_INVALID_ARGUMENT for a key that is no cut of the Region; see `AdminScene`
   */
  split(id: RegionId, keys: readonly Uint8Array[], partCount: number): OperatorRecord {
    const info = this.#scene.changeableRegion(id);
    const cuts = [...keys].sort(compareKeys);
    checkCuts(info.region, cuts, partCount);
    const parts = cuts.length === 0 ? Math.max(partCount, PARTS_MIN_COUNT) : cuts.length + 1;
    const step = { kind: "split", keys: cuts, partCount: parts } as const;
    return this.#scene.begin(planFor(info, head("split", `${parts} regions are wanted`), [step]));
  }

  /**
   * Lets a neighbour take the Region; peers that are on other Stores than the neighbour's are moved first.
   *
   * @param targetId undefined: the smaller neighbour
   * @throws RdbError RDB_INVALID_ARGUMENT when the target does not touch it, or peers cannot be moved together
   */
  merge(id: RegionId, targetId: RegionId | undefined): OperatorRecord {
    const info = this.#scene.changeableRegion(id);
    const target = this.#mergeTarget(info, targetId);
    const { leader } = info.status ?? {};
    if (info.status === undefined || leader === undefined) {
      throw busy(`region ${id} has no known leader: ask again`);
    }
    const storeIds = target.region.peers.map(({ storeId }) => storeId);
    checkWhole(info, storeIds);
    const moves = stepsTowards(
      { region: info.region, status: info.status, leader },
      { storeIds },
      {
        newPeerId: () => this.#scene.newPeerId(),
        isUp: (storeId) => this.#scene.condition(storeId) === "Up",
        pickHeir: (candidates) => candidates[0],
      },
    );
    if (!moves.ok) {
      throw refused(
        `the peers of region ${id} cannot be brought to those of region ${target.region.id}: ${moves.reason}`,
      );
    }
    const merge = { kind: "merge", source: info.region, target: target.region } as const;
    const motive = `region ${target.region.id} is to take its range`;
    return this.#scene.begin(planFor(info, head("merge", motive), [...moves.steps, merge]));
  }

  /**
   * Spreads the Regions' peers and leaders over the Stores. Those that lie well already, and those that cannot be
   * changed now, are left out.
   *
   * @throws RdbError RDB_NOT_FOUND for a Region that is not known, RDB_SERVER_IS_BUSY when no ids can be had; then none is
   * touched
   */
  async scatter(ids: readonly RegionId[]): Promise<OperatorRecord[]> {
    const { cluster, coordination } = this.#options;
    ids.forEach((id) => this.#scene.region(id));
    const begun: OperatorRecord[] = [];
    for (const id of ids) {
      // Many Regions take more ids than are held at a time.
      if (!(await this.#scene.hasIds())) {
        if (begun.length === 0) {
          throw noIds();
        }
        break;
      }
      const info = cluster.region(id);
      const operator = info === undefined ? undefined : coordination.scatter(info);
      if (operator !== undefined) {
        begun.push(operator);
      }
    }
    return begun;
  }

  /**
   * Has the Region's peers compared.
   *
   * @returns the index that was compared last
   * @throws RdbError RDB_UNAVAILABLE when the leader's Store does not listen; RDB_CLUSTER_VERSION while a Store may not
   * know the command
   */
  checkReplicas(id: RegionId): number {
    this.#scene.checkClusterVersion("computeHash", `a check of region ${id}`);
    const { region, status } = this.#scene.changeableRegion(id);
    const storeId = status?.leader?.storeId;
    if (storeId === undefined || !this.#options.send(storeId, checkRegionCommand(region))) {
      throw new RdbError(
        "RDB_UNAVAILABLE",
        `store ${storeId}, which leads region ${id}, does not listen now`,
      );
    }
    return status?.verifiedIndex ?? 0;
  }

  #mergeTarget(info: RegionInfo, targetId: RegionId | undefined): RegionInfo {
    const { left, right } = this.#options.coordination.view.neighbours(info.region);
    const touching = [left, right].filter((each) => each !== undefined);
    const wanted =
      targetId === undefined
        ? touching.sort(bySize)[0]
        : touching.find(({ region }) => region.id === targetId);
    if (wanted === undefined) {
      const why = targetId === undefined ? "has no neighbour" : `does not touch region ${targetId}`;
      throw refused(`region ${info.region.id} ${formatRange(info.region)} ${why}`);
    }
    const target = this.#scene.changeableRegion(wanted.region.id);
    const odd = [...info.region.peers, ...target.region.peers].find(({ role }) => role !== "Voter");
    if (odd !== undefined) {
      throw refused(
        `peer ${odd.id} on store ${odd.storeId} does not vote yet: merge when all peers of both regions do`,
      );
    }
    return target;
  }
}

function checkCuts(region: Region, cuts: readonly Uint8Array[], partCount: number): void {
  if (cuts.length > 0 && partCount > 0) {
    throw refused("keys and part_count exclude each other");
  }
  if (cuts.length > pdLimits.splitMaxCount || partCount > pdLimits.splitMaxCount + 1) {
    throw refused(`a split has at most ${pdLimits.splitMaxCount} keys, ${pdLimits.splitMaxCount + 1} parts`);
  }
  if (partCount === 1) {
    throw refused(`part_count 1 must be >= ${PARTS_MIN_COUNT}`);
  }
  cuts.forEach((key, at) => {
    const before = cuts[at - 1];
    if (before !== undefined && compareKeys(before, key) === 0) {
      throw refused(`key ${formatKey(key)} is named twice`);
    }
    if (!keyInRange(key, region) || compareKeys(key, region.startKey) === 0) {
      throw refused(`key ${formatKey(key)} does not cut region ${region.id} ${formatRange(region)}`);
    }
  });
}

function bySize(a: RegionInfo, b: RegionInfo): number {
  return (a.status?.approximateSizeBytes ?? 0) - (b.status?.approximateSizeBytes ?? 0);
}

/**
 * Every peer of a source takes part in its merge. One that is not where the target's are is moved first, and may be lost.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT
 */
function checkWhole({ region, status }: RegionInfo, staying: readonly StoreId[]): void {
  const { downPeerIds = [], damagedPeerIds = [] } = status ?? {};
  const unfit = region.peers.find(
    ({ id, storeId }) =>
      staying.includes(storeId) && (downPeerIds.includes(id) || damagedPeerIds.includes(id)),
  );
  if (unfit !== undefined) {
    throw refused(
      `peer ${unfit.id} of region ${region.id} on store ${unfit.storeId} is down or damaged: a merge needs every peer, merge once it is replaced`,
    );
  }
}
