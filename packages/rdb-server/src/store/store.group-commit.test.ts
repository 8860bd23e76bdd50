import { describe, expect, it } from "vitest";
import {
  type Outcome,
  SimCluster,
  type SimStore,
  bytes,
  expectConverged,
  putCommand,
} from "../testing/index.ts";

/** With so many entries on their way, more writes gather: where an entry takes a few ms, and where it takes long. */
const IN_FLIGHT_COUNT = 1;
const SLOW_IN_FLIGHT_COUNT = 2;
/** Of one message; an entry takes twice as long, and that is long. */
const SLOW_MESSAGE_MS = 12;

async function startedCluster(
  seed: number,
  messageMs?: number,
): Promise<{ cluster: SimCluster; leader: SimStore }> {
  const cluster = await SimCluster.start({ seed });
  const leader = await cluster.waitForLeader();
  if (messageMs !== undefined) {
    cluster.network.setAll({ minDelayMs: messageMs, maxDelayMs: messageMs });
  }
  await cluster.put("a", "0");
  return { cluster, leader };
}

function cutOff(cluster: SimCluster, leader: SimStore): void {
  const others = cluster.others(leader.storeId).map(({ storeId }) => storeId);
  cluster.network.partition([leader.storeId], others);
}

/** Sends writes to the leader, and lets it have a turn after each. */
async function sendEach(
  cluster: SimCluster,
  leader: SimStore,
  keys: readonly string[],
  timeoutMs = 5_000,
): Promise<Promise<Outcome>[]> {
  const sent: Promise<Outcome>[] = [];
  for (const key of keys) {
    sent.push(cluster.newClient().call(putCommand(key, "1"), { only: leader.storeId, timeoutMs }));
    await cluster.clock.run(1);
  }
  return sent;
}

describe("writes that come while entries are on their way", () => {
  it.each([
    { network: "quick", messageMs: undefined, inFlightCount: IN_FLIGHT_COUNT },
    { network: "slow", messageMs: SLOW_MESSAGE_MS, inFlightCount: SLOW_IN_FLIGHT_COUNT },
  ])("gather, and share one entry as soon as one is applied: $network network", async (shape) => {
    const { cluster, leader } = await startedCluster(1, shape.messageMs);
    const before = cluster.statusOf(leader).lastIndex;
    cutOff(cluster, leader);
    const sent = await sendEach(cluster, leader, ["b", "c", "d", "e", "f"]);
    expect(cluster.statusOf(leader).lastIndex).toBe(before + shape.inFlightCount);
    expect(leader.store.health().pendingRequestCount).toBe(5);
    cluster.network.heal();
    const outcomes = await cluster.complete(Promise.all(sent));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["ok", "ok", "ok", "ok", "ok"]);
    expect(cluster.statusOf(leader).lastIndex).toBe(before + shape.inFlightCount + 1);
    await expectConverged(cluster);
  });

  it("gather until the next tick and no longer, whatever is on its way", async () => {
    const { cluster, leader } = await startedCluster(5);
    const before = cluster.statusOf(leader).lastIndex;
    cutOff(cluster, leader);
    const sent = await sendEach(cluster, leader, ["b", "c", "d", "e", "f"]);
    expect(cluster.statusOf(leader).lastIndex).toBe(before + IN_FLIGHT_COUNT);
    await cluster.clock.run(cluster.config.tickMs);
    expect(cluster.statusOf(leader).lastIndex).toBe(before + IN_FLIGHT_COUNT + 1);
    cluster.network.heal();
    const outcomes = await cluster.complete(Promise.all(sent));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["ok", "ok", "ok", "ok", "ok"]);
    await expectConverged(cluster);
  });

  it("are refused when their time runs out: they were never proposed, and never come", async () => {
    const { cluster, leader } = await startedCluster(2);
    cutOff(cluster, leader);
    const sent = await sendEach(cluster, leader, ["b"]);
    sent.push(...(await sendEach(cluster, leader, ["late"], 10)));
    const late = await cluster.complete(sent[IN_FLIGHT_COUNT] as Promise<Outcome>);
    expect(late).toMatchObject({ kind: "failed", error: { reason: { case: "serverIsBusy" } } });
    cluster.network.heal();
    await cluster.complete(Promise.all(sent));
    await expectConverged(cluster);
    expect(await cluster.get("late")).toBeUndefined();
  });

  it("are refused with NotLeader when the leadership goes", async () => {
    const { cluster, leader } = await startedCluster(3);
    cutOff(cluster, leader);
    const sent: Promise<Outcome>[] = [];
    while (leader.store.health().leaderCount > 0) {
      sent.push(...(await sendEach(cluster, leader, [`k${sent.length}`])));
    }
    // The last one may have come too late; the one before it lay in the queue at the tick that ended the leadership.
    const held = await cluster.complete(sent.at(-2) as Promise<Outcome>);
    expect(held).toMatchObject({ kind: "failed", error: { reason: { case: "notLeader" } } });
    cluster.network.heal();
    await expectConverged(cluster);
  });

  it("SPEC-M3: are refused with EpochNotMatch when the Region is split meanwhile", async () => {
    const { cluster, leader } = await startedCluster(4);
    cutOff(cluster, leader);
    const sent = await sendEach(cluster, leader, ["b"]);
    const { region } = cluster.statusOf(leader);
    const command = { regionId: region.id, epoch: region.epoch, keys: [bytes("m")], partCount: 2 };
    const split = leader.store.splitRegion(command);
    await cluster.clock.run(50);
    sent.push(...(await sendEach(cluster, leader, ["z"])));
    cluster.network.heal();
    expect(await cluster.complete(split)).toEqual({ ok: true });
    const outcomes = await cluster.complete(Promise.all(sent));
    expect(outcomes).toMatchObject([
      { kind: "ok" },
      { kind: "failed", error: { reason: { case: "epochNotMatch" } } },
    ]);
    await expectConverged(cluster);
    expect(await cluster.get("z")).toBeUndefined();
  });
});
