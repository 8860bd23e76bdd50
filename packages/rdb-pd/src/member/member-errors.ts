import { RdbError } from "@flaredb/rdb-base";
import type { DurableState } from "../cluster/durable-state.ts";

/** PD stops. */
export function closedError(): RdbError {
  return new RdbError("RDB_CLOSED", "the placement driver is stopping");
}

/** Of a command that was on its way when leadership was lost. */
export function leaderChangedError(): RdbError {
  return new RdbError(
    "RDB_STALE_COMMAND",
    "the placement driver's leader changed: whether it was done is unknown",
  );
}

/** Of what only the leader does. Its details say who leads, and where, as far as that is known. */
export function notLeaderError(memberId: number, leaderMemberId: number, state: DurableState): RdbError {
  const address = state.members.get(leaderMemberId)?.address ?? "";
  const leader =
    leaderMemberId === 0
      ? "no leader is known"
      : `member ${leaderMemberId}${address === "" ? "" : ` at ${address}`} does`;
  return new RdbError("RDB_NOT_LEADER", `PD member ${memberId} does not lead, ${leader}`, {
    details: { leaderMemberId, ...(address === "" ? {} : { leaderAddress: address }) },
  });
}
