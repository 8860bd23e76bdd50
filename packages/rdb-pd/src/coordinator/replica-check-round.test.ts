import { clusterVersions, storeId } from "@flaredb/rdb-base";
import { beforeEach, expect, test } from "vitest";
import { ClusterState } from "../cluster/cluster-state.ts";
import { DurableState } from "../cluster/durable-state.ts";
import { pdLimits } from "../limits.ts";
import { placementSchema } from "../placement/placement-config.ts";
import { leaderReport } from "../testing/regions.ts";
import { ReplicaCheckRound } from "./replica-check-round.ts";

const sketches = [
  { id: 1, range: "-f" },
  { id: 2, range: "f-m" },
  { id: 3, range: "m-" },
];

let cluster: ClusterState;
let asked: string[];

beforeEach(() => {
  asked = [];
  cluster = new ClusterState(new DurableState(), 0, () => 60_000);
  const reports = sketches.map((sketch) => leaderReport(sketch, { store: 2 }));
  for (const { region } of reports) {
    cluster.durable.putRegion(region);
  }
  cluster.observe(reports, 0);
  cluster.durable.clusterVersion = clusterVersions.newest;
});

function round(replicaCheckIntervalMs: number): ReplicaCheckRound {
  const config = placementSchema.parse({ replicaCheckIntervalMs });
  const send = (
    to: number,
    { command }: { command: { case?: string | undefined; value?: unknown } },
  ): boolean => {
    asked.push(`${to} ${command.case} ${(command.value as { regionId: bigint }).regionId}`);
    return true;
  };
  return new ReplicaCheckRound({ cluster, config: () => config, send }, 0);
}

test("each Region's leader is asked once in an interval, spread over it, in the order of their keys", () => {
  const checks = round(30_000);
  checks.tick(9_900);
  expect(asked).toEqual([]);
  checks.tick(10_000);
  expect(asked).toEqual(["2 checkRegion 1"]);
  for (let ms = 10_100; ms <= 60_000; ms += 100) {
    checks.tick(ms);
  }
  expect(asked.map((line) => line.at(-1)).join("")).toBe("123123");
});

test("a pause is not made up for by asking all at once", () => {
  const checks = round(3);
  checks.tick(1_000_000);
  expect(asked.length).toBeLessThanOrEqual(pdLimits.replicaCheckMaxCount);
});

test("never, when it is off; nobody, where no leader is known", () => {
  const off = round(0);
  off.tick(1_000_000);
  expect(asked).toEqual([]);
  for (const id of [...cluster.index.of(storeId(2)).led]) {
    const report = leaderReport(sketches[id - 1] ?? { id, range: "-" }, { store: 2 });
    cluster.steppedDown([{ ...report, isLeader: false }]);
  }
  round(3).tick(1_000);
  expect(asked).toEqual([]);
});

test("nobody is asked for an entry that some Store may not know", () => {
  cluster = new ClusterState(new DurableState(), 0, () => 60_000);
  const reports = sketches.map((sketch) => leaderReport(sketch, { store: 2 }));
  reports.forEach(({ region }) => cluster.durable.putRegion(region));
  cluster.observe(reports, 0);
  round(30_000).tick(60_000);
  expect(asked).toEqual([]);
});
