import { describe, expect, test } from "vitest";
import type { Cluster, Member, Store } from "../api/gen/types.ts";
import { findingsOf, healthSentence, worstLevel } from "./findings.ts";

const NOW_MS = 1_000_000;

// Only what is looked at.
const member = {
  ...{ id: 1, name: "pd-1", address: "127.0.0.1:7400", httpAddress: "127.0.0.1:7401" },
  ...{ isLeader: true, isLearner: false, isUp: true },
} as Member;

const sound = {
  ...{
    clusterId: "7",
    healthy: true,
    problems: [],
    findings: [],
    bootstrapped: true,
    bootstrapStoreCount: 3,
  },
  ...{ registeredStoreCount: 3, upStoreCount: 3, regionCount: 24, regionWithLeaderCount: 24 },
  ...{ programVersion: "0.1.0", members: [member] },
} as Partial<Cluster> as Cluster;

function store(id: number, other: Partial<Store> = {}): Store {
  return {
    ...{ id, address: "127.0.0.1:7410", httpAddress: "127.0.0.1:7420", state: "up", labels: {} },
    ...{ programVersion: "0.1.0", lastHeartbeatMs: NOW_MS - 1_000, startedMs: 1, regionCount: 24 },
    ...{ leaderCount: 8, evictsLeaders: false, regionSizeBytes: 0, isSlow: false, isFull: false },
    ...other,
  } as Partial<Store> as Store;
}

const three = [store(1), store(2), store(3)];

function said(
  cluster: Cluster,
  stores: readonly Store[],
): { sentence: string; level: string; texts: string[] } {
  const findings = findingsOf(cluster, stores, NOW_MS);
  return {
    sentence: healthSentence(cluster, findings),
    level: worstLevel(cluster, findings),
    texts: findings.map(({ message }) => message),
  };
}

describe("the sentence of health", () => {
  test("of a sound cluster says what was looked at", () => {
    expect(said(sound, three)).toEqual({
      sentence: "All is well: all 3 Stores answer, and all 24 Regions have a leader.",
      level: "good",
      texts: [],
    });
    const alone = { ...sound, upStoreCount: 1, regionCount: 1, regionWithLeaderCount: 1 };
    expect(said(alone, [store(1)]).sentence).toBe(
      "All is well: the one Store answers, and the one Region has a leader.",
    );
  });

  test("of one that is not placed yet says for how many Stores it waits", () => {
    const young = { ...sound, bootstrapped: false, registeredStoreCount: 1, regionCount: 0 };
    expect(said(young, [store(1)])).toMatchObject({
      sentence: "Waiting for 2 more Stores to register: there are no Regions yet.",
      level: "warn",
    });
  });

  test("names the worst, and counts the rest", () => {
    const ill = {
      ...sound,
      regionWithLeaderCount: 23,
      findings: [
        {
          ...{ kind: "leaderless-regions", level: "bad" },
          ...{ message: "1 of 24 Regions has no leader", advice: "start Stores" },
        },
        {
          ...{ kind: "down-peers", level: "warn" },
          ...{ message: "3 of 24 Regions have peers that are down", advice: "see operators" },
        },
      ],
    } as Cluster;
    const stores = [store(1), store(2, { state: "disconnected", lastHeartbeatMs: NOW_MS - 9_000 }), store(3)];
    expect(said(ill, stores)).toEqual({
      sentence: "Store 2 does not answer (last heard 9 s ago), and 2 more things to look at.",
      level: "bad",
      texts: [
        "Store 2 does not answer (last heard 9 s ago)",
        "1 of 24 Regions has no leader",
        "3 of 24 Regions have peers that are down",
      ],
    });
  });

  test("does not worry people with what they asked for", () => {
    const stores = [store(1), store(2), store(3, { state: "draining", regionCount: 2, evictsLeaders: true })];
    expect(said(sound, stores)).toMatchObject({
      level: "good",
      texts: ["Store 3 is being emptied: 2 Regions to go", "Store 3 is kept from leading"],
    });
  });

  test("a Store that is gone for good is no concern", () => {
    expect(said(sound, [...three, store(4, { state: "tombstone", isFull: true })]).level).toBe("good");
  });

  test.for([
    [{ isFull: true }, "bad", "Store 2 is nearly full and takes no writes"],
    [
      { capacityBytes: 1000 * 1024, availableBytes: 50 * 1024 },
      "warn",
      "Store 2 has 50.0 KiB left, 5.0 % of its disk",
    ],
    [{ isSlow: true }, "warn", "The disk of Store 2 answers too slowly"],
    [{ programVersion: "0.2.0" }, "good", "Programs of 2 versions run: 0.1.0, 0.2.0"],
  ] as const)("%o is %s", ([other, level, text]) => {
    expect(said(sound, [store(1), store(2, other), store(3)])).toMatchObject({ level, texts: [text] });
  });

  test("a silent member of the placement driver, and how many more may fail", () => {
    const others = [2, 3].map((id) => ({ ...member, id, name: `pd-${id}`, isLeader: false, isUp: id === 2 }));
    const [finding] = findingsOf({ ...sound, members: [member, ...others] }, three, NOW_MS);
    expect(finding).toMatchObject({ level: "warn", advice: expect.stringMatching(/^0 more may fail/) });
  });
});
