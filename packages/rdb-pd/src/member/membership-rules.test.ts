import { RdbError } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import type { MemberStatus } from "./member-info.ts";
import { type GroupView, checkAddition, checkRemoval, checkTransfer } from "./membership-rules.ts";

const LEADER = 1;

/** Member 1 leads; "-" does not answer, "l" has no vote. */
function group(...marks: readonly ("" | "-" | "l")[]): GroupView {
  const members = marks.map((mark, at): MemberStatus => {
    const port = 7_400 + at;
    return {
      ...{ id: at + 1, name: `pd-${at + 1}`, address: `h:${port}`, httpAddress: "" },
      isLearner: mark === "l",
      isUp: mark !== "-",
    };
  });
  return { leaderMemberId: LEADER, members };
}

function refusal(check: () => void): RdbError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(RdbError);
    return error as RdbError;
  }
}

const added = { name: "pd-new", address: "h:1" };

describe("a member more", () => {
  test.each([
    ["a lone member", group("")],
    ["three", group("", "", "")],
    ["three of which one is away: three of four will answer", group("", "", "-")],
  ])("%s: taken", (_, view) => {
    expect(refusal(() => checkAddition(view, added))).toBeUndefined();
  });

  test.each([
    ["the name of another", group("", ""), { ...added, name: "pd-2" }, "is called pd-2"],
    ["the address of another", group("", ""), { ...added, address: "h:7401" }, "answers at h:7401"],
    ["five are there", group("", "", "", "", ""), added, "memberMaxCount is 5"],
    ["one has no vote yet", group("", "l"), added, "has no vote yet: start it, or remove it"],
    [
      "five with three away",
      group("", "-", "-", "-"),
      added,
      "a PD member more would leave the placement driver without a quorum: 2 of 5 voters would answer, 3 are needed",
    ],
  ])("%s: refused", (_, view, member, message) => {
    expect(refusal(() => checkAddition(view, member))?.message).toContain(message);
  });
});

describe("a member less", () => {
  test.each([
    ["of three", group("", "", ""), 3],
    ["of three, the one that is away", group("", "", "-"), 3],
    ["of two, who does not lead", group("", ""), 2],
    ["without a vote, whatever else is away", group("", "-", "l"), 3],
  ])("%s: taken", (_, view, id) => {
    expect(refusal(() => checkRemoval(view, id))).toBeUndefined();
  });

  test.each([
    ["nobody", group(""), 9, "RDB_NOT_FOUND", "there is no PD member 9"],
    ["the leader", group("", "", ""), LEADER, "RDB_INVALID_ARGUMENT", "transfer leadership"],
    ["the only one", group(""), LEADER, "RDB_INVALID_ARGUMENT", "is the only one"],
    [
      "one of the two that answer, of three",
      group("", "", "-"),
      2,
      "RDB_INVALID_ARGUMENT",
      "removing PD member 2 would leave the placement driver without a quorum: 1 of 2 voters would answer, 2 are needed",
    ],
  ])("%s: refused", (_, view, id, code, message) => {
    const error = refusal(() => checkRemoval(view, id));
    expect(error?.code).toBe(code);
    expect(error?.message).toContain(message);
  });
});

test.each([
  ["who leads already", group("", ""), LEADER, undefined],
  ["who answers", group("", ""), 2, undefined],
  ["nobody", group("", ""), 3, "there is no PD member 3"],
  ["who is away", group("", "-", ""), 2, "does not answer"],
  ["who has no vote", group("", "l"), 2, "has no vote yet"],
])("leadership to %s", (_, view, id, message) => {
  const error = refusal(() => checkTransfer(view, id));
  if (message === undefined) {
    expect(error).toBeUndefined();
  } else {
    expect(error?.message).toContain(message);
  }
});
