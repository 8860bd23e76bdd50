import { RdbError } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { type ForeignPapers, type LocalPapers, checkPapers } from "./member-check.ts";

const local: LocalPapers = {
  memberId: 1,
  clusterId: 77,
  clusterVersion: 2,
  initialCluster: "pd-1=a:1,pd-2=b:1",
  isRemoved: (id) => id === 9,
  hasServed: (id) => id === 2,
};
const foreign: ForeignPapers = {
  clusterId: 77,
  clusterVersion: 2,
  initialCluster: "pd-1=a:1,pd-2=b:1",
  fromMemberId: 2,
  fromAddress: "b:1",
  toMemberId: 1,
};
const isNew = { clusterId: 0 };

function refusal(here: Partial<LocalPapers>, there: Partial<ForeignPapers>): string {
  try {
    checkPapers({ ...local, ...here }, { ...foreign, ...there });
    return "none";
  } catch (error) {
    expect(error).toBeInstanceOf(RdbError);
    const { code, message } = error as RdbError;
    return `${code} ${message}`;
  }
}

test.each([
  ["of the same group", {}, {}],
  ["both are new", isNew, isNew],
  ["this one is new", isNew, {}],
  ["the other one is new, and never served", {}, { ...isNew, fromMemberId: 3 }],
  ["the other one joined later", {}, { initialCluster: "" }],
  ["told something else since, by an operator who moved a member", {}, { initialCluster: "pd-1=z:1" }],
])("heard: %s", (_, here, there) => {
  expect(refusal(here, there)).toBe("none");
});

test.each([
  ["another cluster", {}, { clusterId: 78 }, "RDB_CLUSTER_MISMATCH PD member 2 at b:1 is of cluster 78"],
  ["for another member", {}, { toMemberId: 3 }, "takes this for member 3, it is member 1"],
  [
    "in this member's own name",
    {},
    { fromMemberId: 1 },
    "RDB_CLUSTER_MISMATCH PD member 1 at b:1 has this member's own id",
  ],
  ["new, and in this member's own name", isNew, { ...isNew, fromMemberId: 1 }, "has this member's own id"],
  [
    "new, and told something else",
    isNew,
    { ...isNew, initialCluster: "pd-1=a:1" },
    "all must be told the same",
  ],
  ["new, though it is on record to have served", {}, isNew, "PD member 2 at b:1 has lost its data"],
  ["removed", {}, { fromMemberId: 9 }, "RDB_DATA_FOREIGN PD member 9 was removed"],
])("refused: %s", (_, here, there, message) => {
  expect(refusal(here, there)).toContain(message);
});

test("a program that is older than the cluster is refused, and told what to do; before that, it is not", () => {
  const old = { clusterVersion: 1 };
  expect(refusal({}, old)).toMatch(
    /^RDB_VERSION_TOO_OLD .*member 2 at b:1 knows up to 1: start it with the program/,
  );
  expect(refusal(old, old)).toBe("none");
  expect(refusal(old, {})).toBe("none");
});
