import { type Peer, type Region, peerById } from "@flaredb/rdb-base";
import type { OperatorStep, StepPeer } from "../placement/operator-plan.ts";

/**
 * How many changes of the Region's peers are due to these steps, as it stands now. When its conf_ver rose by more since
 * the plan was made, somebody else changed it, and the plan's ground is gone.
 */
export function confVerSpent(steps: readonly OperatorStep[], region: Region): number {
  return steps.reduce((sum, step) => sum + spentBy(step, region), 0);
}

function spentBy(step: OperatorStep, region: Region): number {
  switch (step.kind) {
    case "add-learner":
      return peerById(region, step.peerId) === undefined ? 0 : 1;
    case "promote":
      return peerById(region, step.peerId)?.role === "Voter" ? 1 : 0;
    case "remove-peer":
      return peerById(region, step.peerId) === undefined ? 1 : 0;
    case "enter-joint":
      return hasVotes(step, region) ? 1 : 0;
    case "leave-joint":
      return hasVotes(step, region) && !region.peers.some(isBetween) ? 1 : 0;
    // PrepareMerge may close the source for other changes by raising it.
    case "merge":
      return 1;
    default:
      return 0;
  }
}

/** Whether the joint change was made; who is demoted may be gone since. */
function hasVotes(
  { promote, demote }: { readonly promote: readonly StepPeer[]; readonly demote: readonly StepPeer[] },
  region: Region,
): boolean {
  const roleOf = ({ peerId }: StepPeer): Peer["role"] | undefined => peerById(region, peerId)?.role;
  return (
    promote.every((peer) => ["Voter", "IncomingVoter"].includes(roleOf(peer) ?? "")) &&
    demote.every((peer) => roleOf(peer) !== "Voter")
  );
}

function isBetween({ role }: Peer): boolean {
  return role === "IncomingVoter" || role === "DemotingVoter";
}
