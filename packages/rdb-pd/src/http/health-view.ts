import type { RunningGroup } from "../run-pd.ts";
import { PROGRAM_VERSION } from "../version.ts";

/** Whether a member of PD is of use: `leaderless` until its group has elected one of which it knows. */
type MemberHealth = "serving" | "following" | "leaderless";

/** Whether this member serves, or follows who does. Shape of `GET /health`. */
export function healthView(group: RunningGroup) {
  const { clusterId, memberId, leaderMemberId, appliedIndex } = group;
  return {
    status: memberHealth(group),
    ...{ clusterId, memberId, leaderMemberId, appliedIndex },
    version: PROGRAM_VERSION,
  };
}

function memberHealth({ isServing, memberId, leaderMemberId }: RunningGroup): MemberHealth {
  if (isServing) {
    return "serving";
  }
  // One that was elected serves only after it has applied what was committed before it.
  return leaderMemberId === 0 || leaderMemberId === memberId ? "leaderless" : "following";
}
