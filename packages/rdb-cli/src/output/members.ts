import type { GetClusterInfoResponse, PdMember } from "@flaredb/rdb-proto";
import { type Column, renderTable } from "./table.ts";

const columns: readonly Column[] = [
  { title: "MEMBER", align: "right" },
  { title: "NAME" },
  { title: "ROLE" },
  { title: "STATE" },
  { title: "ADDRESS" },
  { title: "HTTP" },
];

/** The placement driver's members as a table. */
export function renderMembers(
  { members, leaderMemberId }: Pick<GetClusterInfoResponse, "members" | "leaderMemberId">,
  width: number | undefined,
): string {
  const rows = members.map((member) => [
    String(member.id),
    member.name,
    roleOf(member, leaderMemberId),
    member.isUp ? "up" : "does not answer",
    member.address,
    member.httpAddress,
  ]);
  return renderTable(columns, rows, width);
}

/** A member as JSON. */
export function memberDocument(member: PdMember, leaderMemberId: bigint): Record<string, unknown> {
  const { id, name, address, httpAddress, isLearner, isUp } = member;
  return { id: Number(id), name, address, httpAddress, isLeader: id === leaderMemberId, isLearner, isUp };
}

function roleOf({ id, isLearner }: PdMember, leaderMemberId: bigint): string {
  if (isLearner) {
    return "learner";
  }
  return id === leaderMemberId ? "leader" : "voter";
}
