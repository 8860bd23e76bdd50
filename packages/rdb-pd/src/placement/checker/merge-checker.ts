import type { RegionInfo } from "../../cluster/region-info.ts";
import { stepPorts } from "../candidates.ts";
import { actsOn, standsStill } from "../decide.ts";
import type { Checker, Decision } from "../decision.ts";
import { ledRegion, unrestReason } from "../filter/region-health.ts";
import type { PlacementView } from "../placement-view.ts";
import { planFor } from "../plans.ts";
import { stepsTowards } from "../steps/steps-towards.ts";
import { FirstSeen } from "./first-seen.ts";

/**
 * Merges a Region that has been small for a while into its smaller neighbour, after moving its peers to the
 * neighbour's Stores. Off by default. Since when a Region has its range is known only since this process began.
 */
export class MergeChecker implements Checker {
  readonly name = "merge";
  readonly isEssential = false;
  readonly #small = new FirstSeen();

  check(info: RegionInfo, view: PlacementView): Decision {
    if (!view.config.mergeEnabled) {
      return standsStill("mergeEnabled is off");
    }
    if (!isSmall(info, view)) {
      this.#small.forget(info.region.id);
      return standsStill("it is not known to be small");
    }
    const { id, epoch } = info.region;
    const lastsMs = this.#small.lastsMs(id, epoch.version, view.nowMs);
    if (lastsMs < view.config.splitMergeIntervalMs) {
      return standsStill(
        `its range is known for ${lastsMs} ms, splitMergeIntervalMs is ${view.config.splitMergeIntervalMs}`,
      );
    }
    const unrest = unrestReason(info, view);
    if (unrest !== undefined) {
      return standsStill(unrest);
    }
    const target = chooseTarget(info, view);
    return typeof target === "string" ? standsStill(target) : this.#merge(info, target, view);
  }

  #merge(source: RegionInfo, target: RegionInfo, view: PlacementView): Decision {
    const led = ledRegion(source);
    if (typeof led === "string") {
      return standsStill(led);
    }
    const storeIds = target.region.peers.map(({ storeId }) => storeId);
    const moves = stepsTowards(led, { storeIds }, stepPorts(view));
    if (!moves.ok) {
      return standsStill(moves.reason);
    }
    const motive = `it and region ${target.region.id} are small: ${sizeOf(source)} and ${sizeOf(target)} bytes`;
    const head = { kind: "merge", origin: this.name, priority: "Low", motive } as const;
    const merge = { kind: "merge", source: source.region, target: target.region } as const;
    return actsOn(planFor(source, head, [...moves.steps, merge]));
  }
}

function isSmall({ status }: RegionInfo, { config }: PlacementView): boolean {
  return (
    status !== undefined &&
    status.approximateSizeBytes <= config.mergeMaxSizeBytes &&
    status.approximateKeyCount <= config.mergeMaxKeys
  );
}

/** The smaller neighbour that can take it, or why there is none. */
function chooseTarget(info: RegionInfo, view: PlacementView): RegionInfo | string {
  const { left, right } = view.neighbours(info.region);
  const reasons: string[] = [];
  const able = [left, right].filter((neighbour) => {
    if (neighbour === undefined) {
      return false;
    }
    const reason = refusalOf(info, neighbour, view);
    if (reason !== undefined) {
      reasons.push(`region ${neighbour.region.id}: ${reason}`);
    }
    return reason === undefined;
  });
  const sorted = able.filter((each) => each !== undefined).sort((a, b) => sizeOf(a) - sizeOf(b));
  return (
    sorted[0] ?? `no neighbour can take it: ${reasons.length === 0 ? "it has none" : reasons.join("; ")}`
  );
}

function refusalOf(info: RegionInfo, neighbour: RegionInfo, view: PlacementView): string | undefined {
  if (view.hasOperator(neighbour.region.id)) {
    return "it has an operator";
  }
  if (!isSmall(neighbour, view) && sizeOf(info) + sizeOf(neighbour) > view.config.mergeMaxSizeBytes * 2) {
    return "together they would be too big";
  }
  return unrestReason(neighbour, view);
}

function sizeOf({ status }: RegionInfo): number {
  return status?.approximateSizeBytes ?? 0;
}
