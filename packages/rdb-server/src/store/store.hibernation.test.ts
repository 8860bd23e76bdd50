import { beforeEach, describe, expect, it } from "vitest";
import type { RegionStatus } from "./store-handle.ts";
import { SimCluster, type SimStore, expectConverged, getCommand } from "../testing/index.ts";

const IDLE_MS = 500;
const ELECTION_MS = 2_000;

function isAsleep(cluster: SimCluster, store: SimStore): boolean {
  return store.store.regionStatus(cluster.region.id)?.isAsleep === true;
}

function allAsleep(cluster: SimCluster): boolean {
  return cluster.stores.every((store) => !store.isRunning || isAsleep(cluster, store));
}

/** A cluster whose Region has fallen asleep, and its leader. */
async function asleepCluster(
  seed: number,
  storeCount = 3,
  silence: Partial<SimCluster["config"]> = {},
): Promise<{ cluster: SimCluster; leader: SimStore }> {
  const config = { hibernateAfterMs: IDLE_MS, ...silence };
  const cluster = await SimCluster.start({ seed, storeCount, config });
  const leader = await cluster.waitForLeader();
  await cluster.put("k", "1");
  await cluster.until("all sleep", () => allAsleep(cluster));
  return { cluster, leader };
}

/** Counts the messages about Regions, in both directions, from now on. */
function countMessages(cluster: SimCluster): () => number {
  let count = 0;
  const before = cluster.network.onSend;
  cluster.network.onSend = (message) => {
    count++;
    before(message);
  };
  return () => count;
}

describe("an idle Region (SCENARIO-32)", () => {
  let cluster: SimCluster;
  let leader: SimStore;

  beforeEach(async () => {
    ({ cluster, leader } = await asleepCluster(1));
  });

  it("falls asleep soon, and then nothing is said about it", async () => {
    const count = countMessages(cluster);
    await cluster.run(60_000);
    expect(count()).toBe(0);
    expect(allAsleep(cluster)).toBe(true);
  });

  it("serves its first read and write after sleep without an election", async () => {
    await cluster.run(20_000);
    const term = leader.store.regionStatus(cluster.region.id)?.term;
    const startMs = cluster.clock.monotonicMs();
    expect(await cluster.get("k")).toBe("1");
    await cluster.put("k", "2");
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(50);
    await cluster.run(5_000);
    expect(leader.store.regionStatus(cluster.region.id)?.term).toBe(term);
  });

  it("sleeps again after work", async () => {
    await cluster.put("k", "2");
    expect(isAsleep(cluster, leader)).toBe(false);
    await cluster.until("all sleep again", () => allAsleep(cluster));
    await expectConverged(cluster);
  });

  it("wakes for a read from a follower, which goes to the leader for the index", async () => {
    const [follower] = cluster.others(leader.storeId) as [SimStore];
    expect(await cluster.get("k", { only: follower.storeId, fromFollower: true })).toBe("1");
  });

  it("wakes when somebody asks a follower that does not lead", async () => {
    const [follower] = cluster.others(leader.storeId) as [SimStore];
    const outcome = await cluster.call(getCommand("k"), { only: follower.storeId });
    expect(outcome).toMatchObject({ kind: "failed", error: { reason: { case: "notLeader" } } });
    await cluster.run(10);
    expect(isAsleep(cluster, leader)).toBe(false);
  });

  it("lets its leader, cut off in its sleep, lead for one election timeout after it woke and no longer", async () => {
    await cluster.run(10_000);
    cluster.network.partition(
      [leader.storeId],
      cluster.others(leader.storeId).map((store) => store.storeId),
    );
    const read = cluster.client.call(getCommand("k"), { only: leader.storeId, timeoutMs: 5_000 });
    const tookMs = await cluster.until("it steps down", () => {
      return leader.store.regionStatus(cluster.region.id)?.isLeader === false;
    });
    expect(tookMs).toBeLessThan(ELECTION_MS / 2 + 100);
    expect((await cluster.complete(read)).kind).not.toBe("ok");
  });

  it("elects anew when its leader's Store dies in its sleep, before anybody asks", async () => {
    await cluster.run(10_000);
    leader.crash();
    const tookMs = await cluster.until("another leads", () => cluster.leader() !== undefined);
    expect(tookMs).toBeLessThan(cluster.config.storeSilentMs + 2 * ELECTION_MS);
    await cluster.put("k", "2");
  });

  it("serves the first request after its leader died within two election timeouts", async () => {
    await cluster.run(10_000);
    leader.crash();
    const startMs = cluster.clock.monotonicMs();
    expect(await cluster.get("k")).toBe("1");
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(2 * ELECTION_MS);
  });

  it("notices a Store that restarted so fast that it was never silent, by its boot id", async () => {
    await cluster.run(10_000);
    leader.crash();
    await cluster.complete(leader.start());
    const startMs = cluster.clock.monotonicMs();
    await cluster.until("somebody leads", () => cluster.leader() !== undefined);
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(2 * ELECTION_MS);
    await cluster.put("k", "2");
    await cluster.until("all sleep again", () => allAsleep(cluster));
  });

  it("sleeps on without a Store that is silent, and wakes at its return to bring it up to date", async () => {
    const [away] = cluster.others(leader.storeId) as [SimStore];
    await cluster.put("k", "2");
    away.crash();
    await cluster.put("k", "3");
    await cluster.until("the others sleep", () => allAsleep(cluster));
    await cluster.run(20_000);
    await cluster.complete(away.start());
    const startMs = cluster.clock.monotonicMs();
    await expectConverged(cluster);
    // Sooner than its own election timeout would wake them.
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(ELECTION_MS / 2);
    await cluster.until("all sleep", () => allAsleep(cluster));
  });

  it("keeps its leader and term when a restarted follower times out among sleepers", async () => {
    const [restarted] = cluster.others(leader.storeId) as [SimStore];
    restarted.crash();
    await cluster.complete(restarted.start());
    await cluster.run(3 * ELECTION_MS);
    expect(cluster.leader()).toBe(leader);
  });
});

describe("falling asleep", () => {
  it("is put off by a proposal in flight", async () => {
    const cluster = await SimCluster.start({ seed: 2, config: { hibernateAfterMs: IDLE_MS } });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "0");
    cluster.others(leader.storeId).forEach((store) => store.slowDisk(900));
    const call = cluster.put("k", "1");
    await call;
    expect(isAsleep(cluster, leader)).toBe(false);
  });

  it("needs everybody's word: a voter that does not answer keeps the leader awake", async () => {
    const cluster = await SimCluster.start({ seed: 3, config: { hibernateAfterMs: IDLE_MS } });
    const leader = await cluster.waitForLeader();
    cluster.network.intercept = ({ payload, fromPeer }) =>
      payload.kind === "hibernate" && fromPeer.id === cluster.region.peers[2]?.id ? "drop" : "deliver";
    await cluster.run(10 * IDLE_MS);
    expect(isAsleep(cluster, leader)).toBe(false);
  });

  it("survives the loss of any message about it", async () => {
    for (const lost of ["Ask", "Agree", "Sleep", "Wake"]) {
      const cluster = await SimCluster.start({ seed: 4, config: { hibernateAfterMs: IDLE_MS } });
      await cluster.waitForLeader();
      let lostCount = 0;
      cluster.network.intercept = ({ payload }) =>
        payload.kind === "hibernate" && payload.step === lost && lostCount++ < 3 ? "drop" : "deliver";
      await cluster.run(10_000);
      await cluster.put("k", lost);
      await cluster.until("all sleep", () => allAsleep(cluster));
      expect(await cluster.get("k")).toBe(lost);
    }
  });

  it("on an old word does not make a follower forget that it acknowledged a lease", async () => {
    for (let seed = 0; seed < 12; seed++) {
      const { cluster, leader } = await asleepCluster(seed);
      const [candidate, late] = cluster.others(leader.storeId) as [SimStore, SimStore];
      await cluster.put("k", "old");
      // One follower gets "sleep" when the leader has been woken again.
      cluster.network.intercept = ({ payload, toPeer }) =>
        payload.kind === "hibernate" && payload.step === "Sleep" && toPeer.storeId === late.storeId
          ? { delayMs: 900 }
          : "deliver";
      await cluster.until("the leader sleeps", () => isAsleep(cluster, leader));
      await cluster.run(700);
      cluster.network.cut(leader.storeId, candidate.storeId);
      expect(await cluster.get("k", { only: leader.storeId })).toBe("old");
      await cluster.until("the old word arrives", () => isAsleep(cluster, late), 300);
      cluster.network.cut(leader.storeId, late.storeId);
      await cluster.call(getCommand("k"), { only: candidate.storeId });
      const next = await cluster.waitForLeader((store) => store !== leader);
      await cluster.put("k", "new", { only: next.storeId });
      const outcome = await cluster.call(getCommand("k"), { only: leader.storeId, timeoutMs: 50 });
      expect(outcome.kind, `seed ${seed}`).not.toBe("ok");
    }
  });

  it("and waking to take over does not make it forget either, where silence is shorter than a lease", async () => {
    for (let seed = 0; seed < 12; seed++) {
      const silence = { storeSilentMs: 200, livenessIntervalMs: 100 };
      const { cluster, leader } = await asleepCluster(seed, 3, silence);
      const [late, voter] = cluster.others(leader.storeId) as [SimStore, SimStore];
      await cluster.put("k", "old");
      cluster.network.intercept = ({ payload, toPeer }) =>
        payload.kind === "hibernate" && payload.step === "Sleep" && toPeer.storeId === late.storeId
          ? { delayMs: 1_200 }
          : "deliver";
      await cluster.until("the leader sleeps", () => isAsleep(cluster, leader));
      await cluster.run(1_000);
      cluster.network.cut(leader.storeId, voter.storeId);
      expect(await cluster.get("k", { only: leader.storeId })).toBe("old");
      await cluster.until("the old word arrives", () => isAsleep(cluster, late), 300);
      cluster.network.cut(leader.storeId, late.storeId);
      const next = await cluster.waitForLeader((store) => store !== leader);
      await cluster.put("k", "new", { only: next.storeId });
      const outcome = await cluster.call(getCommand("k"), { only: leader.storeId, timeoutMs: 50 });
      expect(outcome.kind, `seed ${seed}`).not.toBe("ok");
    }
  });

  it("gives the lease up: the leader asks a quorum before it reads again", async () => {
    const cluster = await SimCluster.start({ seed: 8, config: { hibernateAfterMs: 100 } });
    const leader = await cluster.waitForLeader();
    await cluster.put("k", "1");
    await cluster.get("k");
    await cluster.until("it sleeps", () => isAsleep(cluster, leader), cluster.config.leaseMs / 2);
    cluster.network.partition(
      [leader.storeId],
      cluster.others(leader.storeId).map((store) => store.storeId),
    );
    const outcome = await cluster.call(getCommand("k"), { only: leader.storeId, timeoutMs: 100 });
    expect(outcome.kind).not.toBe("ok");
  });

  it("is off when hibernateAfterMs is 0", async () => {
    const cluster = await SimCluster.start({ seed: 6, config: { hibernateAfterMs: 0 } });
    const leader = await cluster.waitForLeader();
    await cluster.run(60_000);
    expect(isAsleep(cluster, leader)).toBe(false);
  });
});

describe("many idle Regions", () => {
  it("sleep, all wake when their leader's Store falls silent, and are led again", async () => {
    const splitKeys = Array.from({ length: 39 }, (_, n) => `k${String(n).padStart(2, "0")}`);
    const cluster = await SimCluster.start({ seed: 7, config: { hibernateAfterMs: IDLE_MS }, splitKeys });
    for (const region of cluster.regions) {
      await cluster.waitForLeader(() => true, region.id);
    }
    const asleepCount = (): number =>
      cluster.stores
        .filter((store) => store.isRunning)
        .flatMap((store) => store.store.regionStatuses())
        .filter((status) => status.isAsleep).length;
    await cluster.until("all sleep", () => asleepCount() === 3 * cluster.regions.length);
    (cluster.stores[0] as SimStore).crash();
    const { storeSilentMs, livenessIntervalMs, tickMs } = cluster.config;
    const tookMs = await cluster.until("all are led", () =>
      cluster.regions.every((region) => cluster.leader(region.id) !== undefined),
    );
    // Once the silence is noticed nobody waits for an election timeout.
    expect(tookMs).toBeLessThan(storeSilentMs + livenessIntervalMs + 4 * tickMs);
    await cluster.until("all sleep again", () => asleepCount() === 2 * cluster.regions.length);
  });

  it("sleep on when a Store falls silent that does not lead them, and serve", async () => {
    const splitKeys = Array.from({ length: 5 }, (_, n) => `k${n}`);
    const cluster = await SimCluster.start({ seed: 8, config: { hibernateAfterMs: IDLE_MS }, splitKeys });
    for (const region of cluster.regions) {
      await cluster.waitForLeader(() => true, region.id);
    }
    const silent = cluster.stores[0] as SimStore;
    const survivors = cluster.others(silent.storeId);
    const statuses = (): RegionStatus[] => survivors.flatMap(({ store }) => store.regionStatuses());
    await cluster.until("all sleep", () => statuses().every((status) => status.isAsleep));
    const ledHere = new Set(
      statuses()
        .filter(({ isLeader }) => isLeader)
        .map(({ region }) => region.id),
    );
    expect(ledHere.size).toBeGreaterThan(0);
    expect(ledHere.size).toBeLessThan(cluster.regions.length);
    let wokenCount = 0;
    const stopWatching = cluster.clock.monotonicMs() + cluster.config.storeSilentMs + 2 * ELECTION_MS;
    silent.crash();
    while (cluster.clock.monotonicMs() < stopWatching) {
      await cluster.run(cluster.config.tickMs);
      wokenCount += statuses().filter(({ region, isAsleep: s }) => ledHere.has(region.id) && !s).length;
    }
    expect(wokenCount).toBe(0);
    expect(cluster.regions.every((region) => cluster.leader(region.id) !== undefined)).toBe(true);
    for (const key of ["a", ...splitKeys]) {
      await cluster.put(key, "1");
    }
  });

  it("are not counted as long as nothing was written to them", async () => {
    const cluster = await SimCluster.start({
      seed: 9,
      config: { hibernateAfterMs: IDLE_MS },
      splitKeys: ["m"],
    });
    const counted: string[] = [];
    for (const { engine } of cluster.stores) {
      const openCursor = engine.openCursor.bind(engine);
      engine.openCursor = (column, range, options) => {
        if (column === "data") {
          counted.push(new TextDecoder().decode(range.startKey));
        }
        return openCursor(column, range, options);
      };
    }
    for (const region of cluster.regions) {
      await cluster.waitForLeader(() => true, region.id);
    }
    await cluster.put("z", "1");
    await cluster.run(10_000);
    expect(counted).toEqual([]);
    const sizes = cluster.stores
      .flatMap(({ store }) => store.regionStatuses())
      .filter(({ isLeader }) => isLeader)
      .map(({ approximateSizeBytes }) => approximateSizeBytes);
    expect(sizes.toSorted((x, y) => x - y)).toEqual([0, 2]);
  });
});
