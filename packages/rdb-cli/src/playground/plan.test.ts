import { expect, test } from "vitest";
import { httpAddress, membersOf, planCluster, rpcAddress } from "./plan.ts";

test("ports count up from the base port: PD, its HTTP, Stores from 10, their HTTP from 20", () => {
  const plan = planCluster({ dataFolder: "data", storeCount: 2, basePort: 8000, splitKeys: [] });
  expect(membersOf(plan).map((member) => [member.name, rpcAddress(member), httpAddress(member)])).toEqual([
    ["pd", "127.0.0.1:8000", "127.0.0.1:8001"],
    ["store-1", "127.0.0.1:8010", "127.0.0.1:8020"],
    ["store-2", "127.0.0.1:8011", "127.0.0.1:8021"],
  ]);
});

test("PD waits for all Stores, and gets the split keys with backslashes escaped", () => {
  const plan = planCluster({ dataFolder: "data", storeCount: 5, basePort: 7400, splitKeys: ["a\\b", "m"] });
  expect(plan.pds[0].args.join(" ")).toContain("--bootstrap-stores 5 --initial-regions a\\x5cb,m");
});

test("fewer Stores may get the initial Regions, and what PD and the Stores take is passed on", () => {
  const input = { dataFolder: "data", storeCount: 4, basePort: 7400, splitKeys: [] };
  const passedOn = { bootstrapStoreCount: 1, regionSplitSize: "32MiB", maxStoreDownTime: "10s" };
  const plan = planCluster({ ...input, ...passedOn });
  expect(plan.pds[0].args.join(" ")).toContain("--bootstrap-stores 1 --max-store-down-time 10s");
  for (const store of plan.stores) {
    expect(store.args.join(" ")).toContain("--region-split-size 32MiB");
  }
});

test("every Store knows PD and has a folder and a log of its own", () => {
  const plan = planCluster({ dataFolder: "data", storeCount: 10, basePort: 7400, splitKeys: [] });
  for (const store of plan.stores) {
    expect(store.args.join(" ")).toContain("--pd 127.0.0.1:7400");
  }
  expect(new Set(membersOf(plan).flatMap(({ folder, logFile }) => [folder, logFile]))).toHaveProperty(
    "size",
    22,
  );
});

test("three members of PD have two ports each, know each other, and every Store knows all", () => {
  const input = { dataFolder: "data", storeCount: 1, basePort: 7400, splitKeys: [], pdMemberCount: 3 };
  const plan = planCluster(input);
  expect(plan.pds.map((member) => [member.name, rpcAddress(member), httpAddress(member)])).toEqual([
    ["pd-1", "127.0.0.1:7400", "127.0.0.1:7401"],
    ["pd-2", "127.0.0.1:7402", "127.0.0.1:7403"],
    ["pd-3", "127.0.0.1:7404", "127.0.0.1:7405"],
  ]);
  for (const member of plan.pds) {
    expect(member.args.join(" ")).toContain(
      `--name ${member.name} --initial-cluster pd-1=127.0.0.1:7400,pd-2=127.0.0.1:7402,pd-3=127.0.0.1:7404`,
    );
  }
  expect(plan.stores[0]?.args.join(" ")).toContain("--pd 127.0.0.1:7400,127.0.0.1:7402,127.0.0.1:7404");
});
