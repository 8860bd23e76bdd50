import type { RegionInfo } from "../../cluster/region-info.ts";
import { actsOn, standsStill } from "../decide.ts";
import type { Checker, Decision } from "../decision.ts";
import { isJoint, ledRegion } from "../filter/region-health.ts";
import type { OperatorStep, StepPeer } from "../operator-plan.ts";
import { planFor } from "../plans.ts";

/** Leads a Region out of a joint configuration that its operator left behind: it needs two quorums as long as it lasts. */
export class JointStateChecker implements Checker {
  readonly name = "joint-state";
  readonly isEssential = true;

  check(info: RegionInfo): Decision {
    if (!isJoint(info)) {
      return standsStill("it is in no joint configuration");
    }
    const led = ledRegion(info);
    if (typeof led === "string") {
      return standsStill(led);
    }
    const having = (role: string): StepPeer[] =>
      info.region.peers
        .filter((peer) => peer.role === role)
        .map(({ id, storeId }) => ({ peerId: id, storeId }));
    // Who is demoted may lead still; the step hands its leadership over first.
    const leave: OperatorStep = {
      kind: "leave-joint",
      promote: having("IncomingVoter"),
      demote: having("DemotingVoter"),
    };
    const motive = "a joint configuration was left behind";
    return actsOn(
      planFor(info, { kind: "leave-joint", origin: this.name, priority: "High", motive }, [leave]),
    );
  }
}
