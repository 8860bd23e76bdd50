import { expect, test } from "vitest";
import { type ClusterFigures, clusterProblems } from "./cluster-health.ts";

const sound: ClusterFigures = {
  ...{ bootstrapped: true, bootstrapStoreCount: 3, registeredStoreCount: 3, upStoreCount: 3 },
  ...{ regionCount: 8, regionWithLeaderCount: 8, regionWithDownPeerCount: 0 },
};

const messages = (figures: Partial<ClusterFigures>): string[] =>
  clusterProblems({ ...sound, ...figures }).map(({ message }) => message);

test("a cluster where all answer and all are led is healthy", () => {
  expect(clusterProblems(sound)).toEqual([]);
});

test("what is wrong is said with its figures, the worst first, and each with what to do", () => {
  const ill = { upStoreCount: 1, regionWithLeaderCount: 7, regionWithDownPeerCount: 8 };
  expect(messages(ill)).toEqual([
    "2 of 3 Stores do not answer",
    "1 of 8 Regions has no leader",
    "8 of 8 Regions have peers that are down",
  ]);
  const found = clusterProblems({ ...sound, ...ill });
  expect(found.map(({ level }) => level)).toEqual(["bad", "bad", "warn"]);
  expect(found.every(({ advice }) => advice.includes("rdb "))).toBe(true);
});

test("before the Regions are placed only the Stores that are missing count", () => {
  const young = { bootstrapped: false, registeredStoreCount: 1, upStoreCount: 0, regionCount: 0 };
  expect(messages({ ...young, regionWithLeaderCount: 0 })).toEqual([
    "waiting for Stores: 1 of 3 have registered",
  ]);
});
