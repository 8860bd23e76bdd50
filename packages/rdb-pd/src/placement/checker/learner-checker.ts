import { MINUTE_MS, type Peer } from "@flaredb/rdb-base";
import type { RegionInfo } from "../../cluster/region-info.ts";
import { actsOn, standsStill } from "../decide.ts";
import type { Checker, Decision } from "../decision.ts";
import { type LedRegion, isHealthy, isJoint, isVoter, ledRegion } from "../filter/region-health.ts";
import type { OperatorStep } from "../operator-plan.ts";
import type { PlacementView } from "../placement-view.ts";
import { planFor } from "../plans.ts";
import { FirstSeen } from "./first-seen.ts";

/**
 * A learner without an operator that is still behind after this long makes way. Its operator waited for as long as its
 * data should take; what keeps it back, such as a disk that became full, may last, and the Region lacks a voter meanwhile.
 */
const BEHIND_MAX_MS = 15 * MINUTE_MS;

/**
 * Sees to learners that an operator left behind: one that has caught up votes where voters are missing, and one that
 * nobody needs, that is on a Store that is gone, or that does not catch up, is removed.
 */
export class LearnerChecker implements Checker {
  readonly name = "learner";
  readonly isEssential = true;
  readonly #behind = new FirstSeen();

  check(info: RegionInfo, view: PlacementView): Decision {
    const learners = info.region.peers.filter(({ role }) => role === "Learner");
    const [first] = learners;
    if (first === undefined) {
      this.#behind.forget(info.region.id);
      return standsStill("it has no learner");
    }
    const led = ledRegion(info);
    if (typeof led === "string") {
      return standsStill(led);
    }
    if (isJoint(info)) {
      return standsStill("it is in a joint configuration");
    }
    const voters = info.region.peers.filter(isVoter);
    const soundCount = voters.filter((peer) => isHealthy(peer, led) && stays(peer, view)).length;
    const grown = learners.find((peer) => isHealthy(peer, led) && stays(peer, view));
    if (grown !== undefined && soundCount < view.replicaCount) {
      const motive = `${soundCount} sound voters of ${view.replicaCount}, and learner ${grown.id} has caught up`;
      return this.#plan(led, "promote-learner", { kind: "promote", ...ids(grown) }, motive);
    }
    const idle = learners.find((peer) => !stays(peer, view) || soundCount >= view.replicaCount);
    if (idle !== undefined) {
      const motive = `learner ${idle.id} on store ${idle.storeId} is not needed, or its store is gone`;
      return this.#plan(led, "remove-learner", { kind: "remove-peer", ...ids(idle) }, motive);
    }
    const who = `learner ${first.id} on store ${first.storeId}`;
    const behindMs = this.#behind.lastsMs(info.region.id, first.id, view.nowMs);
    if (behindMs >= BEHIND_MAX_MS) {
      const motive = `${who} is behind for ${behindMs} ms: another one may do better`;
      return this.#plan(led, "remove-learner", { kind: "remove-peer", ...ids(first) }, motive);
    }
    return standsStill(`${who} is still behind`);
  }

  #plan(led: LedRegion, kind: string, step: OperatorStep, motive: string): Decision {
    return actsOn(planFor(led, { kind, origin: this.name, priority: "High", motive }, [step]));
  }
}

/** Whether the peer's Store is to keep it. */
function stays({ storeId }: Peer, view: PlacementView): boolean {
  const store = view.store(storeId);
  return store !== undefined && store.condition !== "Down" && !store.isDraining;
}

function ids({ id, storeId }: Peer): { readonly peerId: Peer["id"]; readonly storeId: Peer["storeId"] } {
  return { peerId: id, storeId };
}
