import { expect, test } from "vitest";
import { type ClusterFigures, RegionTally, clusterProblems, tellingFigures } from "./cluster-health.ts";

const sound: ClusterFigures = {
  ...{ bootstrapped: true, bootstrapStoreCount: 3, registeredStoreCount: 3, upStoreCount: 3 },
  ...{ regionCount: 8, regionWithLeaderCount: 8, regionWithDownPeerCount: 0 },
  ...{ regionWithDamagedPeerCount: 0, fullStoreIds: [], silentMemberNames: [], memberCount: 3 },
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
  const broken = { fullStoreIds: [2, 3], regionWithDamagedPeerCount: 1, silentMemberNames: ["pd-2"] };
  expect(messages(broken)).toEqual([
    "the disk of Store 2, 3 is nearly full: it takes no writes",
    "1 of 8 Regions has peers whose rows differ from the leader's",
    "1 of 3 members of the placement driver does not answer: pd-2",
  ]);
  expect(clusterProblems({ ...sound, ...broken }).every(({ advice }) => advice !== "")).toBe(true);
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

test("a Region counts once, however many of its peers are down or damaged", () => {
  const tally = new RegionTally();
  tally.add([
    { downPeerIds: [7, 8], damagedPeerIds: [] },
    { downPeerIds: [9], damagedPeerIds: [9] },
  ]);
  tally.add([{ downPeerIds: [], damagedPeerIds: [] }]);
  expect(tally.figures).toEqual({ regionWithDownPeerCount: 2, regionWithDamagedPeerCount: 1 });
});

test("the leader of the placement driver, which says who is up, is", () => {
  const members = [1n, 2n, 3n].map((id) => ({ id, name: `pd-${id}`, isUp: id === 3n }));
  const stores = [
    { store: { id: 1n }, stats: { isFull: false } },
    { store: { id: 2n }, stats: { isFull: true } },
    { store: { id: 3n } },
  ];
  expect(tellingFigures(members, 1n, stores)).toEqual({
    ...{ memberCount: 3, silentMemberNames: ["pd-2"], fullStoreIds: [2] },
  });
});
