import { RdbError } from "@flaredb/rdb-base";
import { pdLimits } from "../limits.ts";
import type { MemberStatus } from "./member-info.ts";

/** The group as its leader sees it. */
export interface GroupView {
  readonly leaderMemberId: number;
  /** Removed ones not counted. */
  readonly members: readonly MemberStatus[];
}

/** @throws RdbError RDB_ALREADY_EXISTS for a name or address of a member; RDB_INVALID_ARGUMENT when there is no room */
export function checkAddition(
  { members }: GroupView,
  added: { readonly name: string; readonly address: string },
): void {
  const twin = members.find(({ name, address }) => name === added.name || address === added.address);
  if (twin !== undefined) {
    throw new RdbError(
      "RDB_ALREADY_EXISTS",
      `PD member ${twin.id} is called ${twin.name} and answers at ${twin.address} already`,
      { details: { memberId: twin.id } },
    );
  }
  if (members.length >= pdLimits.memberMaxCount) {
    throw refused(`there are ${members.length} PD members, memberMaxCount is ${pdLimits.memberMaxCount}`);
  }
  const learner = members.find(({ isLearner }) => isLearner);
  if (learner !== undefined) {
    throw refused(
      `PD member ${learner.id} (${learner.name}) has no vote yet: start it, or remove it, before another one is added`,
    );
  }
  checkQuorum(members, "a PD member more", 1);
}

/** @throws RdbError RDB_NOT_FOUND; RDB_INVALID_ARGUMENT when it leads, is the last, or the rest had no quorum */
export function checkRemoval(view: GroupView, memberId: number): void {
  const member = memberOf(view, memberId);
  if (memberId === view.leaderMemberId) {
    throw refused(
      view.members.length === 1
        ? `PD member ${memberId} is the only one`
        : `PD member ${memberId} leads: transfer leadership to another one first`,
    );
  }
  if (!member.isLearner) {
    const rest = view.members.filter(({ id }) => id !== memberId);
    checkQuorum(rest, `removing PD member ${memberId}`, 0);
  }
}

/** @throws RdbError RDB_NOT_FOUND; RDB_INVALID_ARGUMENT when it cannot lead now */
export function checkTransfer(view: GroupView, memberId: number): void {
  const member = memberOf(view, memberId);
  if (member.isLearner) {
    throw refused(`PD member ${memberId} has no vote yet and cannot lead`);
  }
  if (!member.isUp) {
    throw refused(`PD member ${memberId} does not answer and cannot lead`);
  }
}

/** Whether enough of the voters answer, with so many more of which nothing is known. */
function checkQuorum(members: readonly MemberStatus[], what: string, addedCount: number): void {
  const voters = members.filter(({ isLearner }) => !isLearner);
  const count = voters.length + addedCount;
  const quorum = Math.floor(count / 2) + 1;
  const upCount = voters.filter(({ isUp }) => isUp).length + addedCount;
  if (upCount < quorum) {
    throw refused(
      `${what} would leave the placement driver without a quorum: ${upCount} of ${count} voters would answer, ${quorum} are needed`,
    );
  }
}

function memberOf({ members }: GroupView, id: number): MemberStatus {
  const member = members.find((each) => each.id === id);
  if (member === undefined) {
    throw new RdbError("RDB_NOT_FOUND", `there is no PD member ${id}`, { details: { memberId: id } });
  }
  return member;
}

function refused(message: string): RdbError {
  return new RdbError("RDB_INVALID_ARGUMENT", message);
}
