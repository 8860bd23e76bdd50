import { create } from "@bufbuild/protobuf";
import { OperatorState, type KvResponse, RegionHeaderSchema } from "@flaredb/rdb-proto";
import { getCommand, kvRequest } from "@flaredb/rdb-server/testing";
import { describe, expect, it } from "vitest";
import { expectInvariants, valueOnDisk } from "./invariants.ts";
import { ScenarioAdmin } from "./scenario-admin.ts";
import { ELECTION_MS, Scenario, type RegionStatus, type StoreMember } from "./scenario.ts";

/** A read that names a Region and an epoch, as a client with an old map sends it. @returns why it is refused */
async function refusalOf(
  scenario: Scenario,
  store: StoreMember,
  region: RegionStatus["region"],
  key: string,
): Promise<KvResponse["result"]> {
  const header = create(RegionHeaderSchema, {
    regionId: BigInt(region.id),
    epoch: { confVer: BigInt(region.epoch.confVer), version: BigInt(region.epoch.version) },
  });
  const request = kvRequest({ requestId: 1, command: getCommand(key), timeoutMs: 1_000 });
  const answered = new Promise<KvResponse>((resolve) => {
    store.process.call(({ store: handle }) => handle.handle(header, [request], resolve));
  });
  return (await scenario.complete(answered)).result;
}

describe("block E: splits", () => {
  it("SCENARIO-49 one split: two Regions tile the old range, and the Store that was cut off catches up", async () => {
    const scenario = await Scenario.start({ seed: 4900, elastic: { regionSplitSizeBytes: 2_000 } });
    const leader = await scenario.waitForLeader();
    const away = scenario.others(leader)[0] as StoreMember;
    const heal = scenario.split(away);
    for (let count = 0; count < 100; count++) {
      await scenario.put(`k${count}`, `${count}`.padEnd(30, "."));
    }
    await scenario.until("the Region is split", () => scenario.regionIds.length >= 2);
    const first = scenario.statusOf(leader, 0).region;
    const answer = await refusalOf(scenario, leader, first, "zzz");
    expect(answer).toMatchObject({ case: "error", value: { reason: { case: "keyNotInRegion" } } });
    heal();
    await scenario.until("it caught up", () =>
      [0, 50, 99].every((count) => valueOnDisk(away, `k${count}`)?.startsWith(`${count}.`)),
    );
    await expectInvariants(scenario);
    expect(await scenario.get("k99")).toBe("99".padEnd(30, "."));
  });

  it.each([5000, 5001])(
    "SCENARIO-50 split x everything: at 200 bytes, with restarts, moves and partitions, the client loop is exact (seed %i)",
    async (seed) => {
      const scenario = await Scenario.start({
        seed,
        clientCount: 5,
        storeCount: 4,
        replicaCount: 3,
        limits: { logGcMaxEntries: 40, logGcCheckIntervalMs: 100 },
        elastic: { regionSplitSizeBytes: 200, repairs: true },
      });
      const admin = new ScenarioAdmin(scenario);
      const any = <Item>(items: readonly Item[]): Item =>
        items[scenario.random.nextInt(items.length)] as Item;
      scenario.startLoops(undefined, 300);
      for (let round = 0; round < 5; round++) {
        const { id } = admin.regionOf(`own client-${1 + round}`);
        await admin
          .call((client) => client.scatterRegions({ regionIds: [BigInt(id)] }))
          .catch(() => undefined);
        const victim = any(scenario.stores);
        const heal =
          round % 2 === 0 ? scenario.takeDown([victim], "power-off") : scenario.splitStores(victim);
        await scenario.run(600);
        heal();
        await scenario.untilServing();
      }
      await expectInvariants(scenario);
      expect(scenario.regionIds.length).toBeGreaterThan(1);
      expect(scenario.loopFailures).toEqual([]);
    },
  );

  it("SCENARIO-51 epoch not match: the error carries both Regions, and a client with the old map is put right at once", async () => {
    const scenario = await Scenario.start({ seed: 5100, elastic: {} });
    const admin = new ScenarioAdmin(scenario);
    await scenario.put("a", "1");
    await scenario.put("x", "1");
    const old = admin.regionOf("a");
    expect((await admin.splitAt("m")).state).toBe(OperatorState.DONE);
    const leader = await scenario.waitForLeader();
    const answer = await refusalOf(scenario, leader, old, "x");
    expect(answer).toMatchObject({
      case: "error",
      value: {
        reason: {
          case: "epochNotMatch",
          value: { currentRegions: [{ id: BigInt(old.id) }, { id: BigInt(admin.regionOf("x").id) }] },
        },
      },
    });
    for (const key of ["a", "x"]) {
      const startMs = scenario.nowMs;
      await scenario.put(key, "2");
      expect(scenario.nowMs - startMs).toBeLessThan(100);
      expect(await scenario.get(key)).toBe("2");
    }
    await expectInvariants(scenario);
  });

  it("SCENARIO-52 slow split: a peer that applies it late needs no snapshot, and nobody loses its leadership", async () => {
    const scenario = await Scenario.start({ seed: 5200, elastic: {}, limits: { hibernateAfterMs: 0 } });
    const admin = new ScenarioAdmin(scenario);
    for (let count = 0; count < 10; count++) {
      await scenario.put(`${"am"[count % 2]}${count}`, "1");
    }
    const leader = await scenario.waitForLeader();
    const late = scenario.others(leader)[0] as StoreMember;
    await scenario.run(200);
    const electionCount = scenario.watch.electionCount;
    const mend = scenario.slowDisk(late, 900);
    expect((await admin.splitAt("m")).state).toBe(OperatorState.DONE);
    for (let count = 0; count < 10; count++) {
      await scenario.put(`m late ${count}`, "1");
    }
    await scenario.run(2_000);
    mend();
    await scenario.until("it caught up", () => valueOnDisk(late, "m late 9") === "1");
    expect(scenario.watch.countOf("the snapshot is applied")).toBe(0);
    // The new Region's own, and no other.
    expect(scenario.watch.electionCount).toBe(electionCount + 1);
    await expectInvariants(scenario);
  });

  it("SCENARIO-54 quick election after a split: the new Region serves long before an election timeout", async () => {
    const tookMs: number[] = [];
    for (let seed = 5400; seed < 5405; seed++) {
      const scenario = await Scenario.start({ seed, elastic: {} });
      const admin = new ScenarioAdmin(scenario);
      await scenario.put("x", "1");
      const regionId = BigInt(admin.regionOf("x").id);
      await admin.begin((client) => client.splitRegionAt({ regionId, keys: [Buffer.from("m")] }));
      await scenario.until("the Region is split", () => scenario.regionIds.length === 2);
      const startMs = scenario.nowMs;
      await scenario.put("x", "2");
      tookMs.push(scenario.nowMs - startMs);
      await expectInvariants(scenario);
    }
    expect(Math.max(...tookMs)).toBeLessThan(ELECTION_MS / 10);
  });
});
