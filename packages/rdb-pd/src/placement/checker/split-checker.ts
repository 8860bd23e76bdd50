import { MINUTE_MS, MiB } from "@flaredb/rdb-base";
import type { RegionInfo } from "../../cluster/region-info.ts";
import { actsOn, standsStill } from "../decide.ts";
import type { Checker, Decision } from "../decision.ts";
import { isJoint, ledRegion } from "../filter/region-health.ts";
import type { PlacementView } from "../placement-view.ts";
import { planFor } from "../plans.ts";
import { FirstSeen } from "./first-seen.ts";

/** So long a Region's own Store has to split it before it is told to. */
const PATIENCE_MS = 2 * MINUTE_MS;

/** Has Regions split that are far too big and that their Stores, which look at size and load, did not split. */
export class SplitChecker implements Checker {
  readonly name = "split";
  readonly isEssential = false;
  readonly #tooBig = new FirstSeen();

  check(info: RegionInfo, view: PlacementView): Decision {
    const sizeBytes = info.status?.approximateSizeBytes ?? 0;
    const maxBytes = view.config.splitOverSizeBytes;
    const { id, epoch } = info.region;
    if (maxBytes === 0 || sizeBytes <= maxBytes) {
      this.#tooBig.forget(id);
      return standsStill(
        `its ${inMiB(sizeBytes)} MiB are not above splitOverSizeBytes, ${inMiB(maxBytes)} MiB`,
      );
    }
    const lastsMs = this.#tooBig.lastsMs(id, epoch.version, view.nowMs);
    if (lastsMs < PATIENCE_MS) {
      return standsStill(
        `it has ${inMiB(sizeBytes)} MiB; its store has ${PATIENCE_MS - lastsMs} ms to split it`,
      );
    }
    const led = ledRegion(info);
    if (typeof led === "string" || isJoint(info) || led.status.isMerging) {
      return standsStill(typeof led === "string" ? led : "its peers are changing, or it is being merged");
    }
    const motive = `it has ${inMiB(sizeBytes)} MiB, above ${inMiB(maxBytes)} MiB for ${lastsMs} ms`;
    const head = { kind: "split", origin: this.name, priority: "Low", motive } as const;
    return actsOn(planFor(led, head, [{ kind: "split", keys: [], partCount: 2 }]));
  }
}

function inMiB(bytes: number): number {
  return Math.round(bytes / MiB);
}
