import type { GetClusterInfoResponse, PdMember } from "@flaredb/rdb-proto";
import { type Column, type Screen, renderTable } from "./table.ts";

const columns: readonly Column[] = [
  { title: "MEMBER", align: "right" },
  { title: "NAME" },
  { title: "ROLE" },
  { title: "STATE", style: (cell) => (cell === "up" ? "good" : "bad") },
  { title: "ADDRESS" },
  { title: "HTTP" },
];

/** The placement driver's members as a table. */
export function renderMembers(
  { members, leaderMemberId }: Pick<GetClusterInfoResponse, "members" | "leaderMemberId">,
  screen: Screen,
): string {
  const rows = members.map((member) => [
    String(member.id),
    member.name,
    roleOf(member, leaderMemberId),
    member.isUp ? "up" : "does not answer",
    member.address,
    member.httpAddress,
  ]);
  return renderTable(columns, rows, screen);
}

/** A member as JSON. */
export function memberDocument(member: PdMember, leaderMemberId: bigint): Record<string, unknown> {
  const { id, name, address, httpAddress, isLearner, isUp, clusterVersion } = member;
  const isLeader = id === leaderMemberId;
  return { id: Number(id), name, address, httpAddress, isLeader, isLearner, isUp, clusterVersion };
}

function roleOf({ id, isLearner }: PdMember, leaderMemberId: bigint): string {
  if (isLearner) {
    return "learner";
  }
  return id === leaderMemberId ? "leader" : "voter";
}
