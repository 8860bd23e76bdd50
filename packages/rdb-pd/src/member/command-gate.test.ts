import { pdCommandVersions } from "@flaredb/rdb-proto";
import { expect, test } from "vitest";
import { commandCase } from "../command/command-codec.ts";
import { versionRefusal } from "./command-gate.ts";

test("a command that is newer than the cluster is refused, with what it needs", () => {
  const versions = pdCommandVersions as Record<string, number>;
  const before = versions["leaseIds"] as number;
  const command = { kind: "LeaseIds", count: 1 } as const;
  try {
    versions["leaseIds"] = 7;
    const refusal = versionRefusal(command, 6);
    expect(refusal).toMatchObject({ code: "RDB_CLUSTER_VERSION", details: { needed: 7, clusterVersion: 6 } });
    expect(versionRefusal(command, 7)).toBeUndefined();
  } finally {
    versions["leaseIds"] = before;
  }
});

test("what raises the version does not wait for it", () => {
  expect(versionRefusal({ kind: "SetClusterVersion", version: 2, stores: [] }, 1)).toBeUndefined();
});

test("commands are named as in proto", () => {
  expect(commandCase({ kind: "LeaseIds", count: 1 })).toBe("leaseIds");
});
