import type { Client } from "@connectrpc/connect";
import type { PdAdminService } from "@flaredb/rdb-proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fourStores, refusal } from "../testing/pd-cluster.ts";
import { TestPd } from "../testing/test-pd.ts";

let pd: TestPd;
let admin: Client<typeof PdAdminService>;

beforeEach(async () => {
  // Nothing is moved for balance alone.
  const placement = { maxStoreDownTimeMs: 60_000, regionLimit: 0 };
  pd = await TestPd.start({ initialSplitKeys: ["m"], placement });
  admin = pd.adminClient();
});

afterEach(() => pd.close());

async function scheduler(name: string) {
  const { schedulers } = await admin.listSchedulers({});
  return schedulers.find((each) => each.name === name);
}

describe("checkers and schedulers", () => {
  test("can be paused and resumed, durably; what keeps the cluster safe cannot", async () => {
    expect(await scheduler("balance-region")).toMatchObject({ isChecker: false, isPaused: false });
    const { scheduler: paused } = await admin.pauseScheduler({ name: "balance-region" });
    expect(paused).toMatchObject({ isPaused: true, pausedUntilMs: 0n });
    await pd.restart();
    admin = pd.adminClient();
    expect((await scheduler("balance-region"))?.isPaused).toBe(true);
    await admin.resumeScheduler({ name: "balance-region" });
    expect((await refusal(admin.resumeScheduler({ name: "balance-region" }))).message).toBe(
      "balance-region is not paused",
    );
    expect((await refusal(admin.pauseScheduler({ name: "replica" }))).message).toContain("cannot be paused");
    const unknown = await refusal(admin.pauseScheduler({ name: "nobody" }));
    expect([unknown.code, unknown.message.includes("balance-leader")]).toEqual(["RDB_NOT_FOUND", true]);
  });

  test("a pause for a while ends by itself", async () => {
    await admin.pauseScheduler({ name: "balance-leader", durationMs: 5_000n });
    expect((await scheduler("balance-leader"))?.pausedUntilMs).toBeGreaterThan(0n);
    pd.clock.advance(6_000);
    expect(await scheduler("balance-leader")).toMatchObject({ isPaused: false, pausedUntilMs: 0n });
    const error = await refusal(admin.pauseScheduler({ name: "balance-leader", durationMs: 10n ** 12n }));
    expect(error.message).toContain("duration_ms 1000000000000 must be <= ");
  });

  test("SPEC-M7: each says what it would do with a Region, or why nothing", async () => {
    await fourStores(pd);
    const { explanations } = await admin.explainRegion({ regionId: 1n });
    const { schedulers } = await admin.listSchedulers({});
    expect(explanations.map(({ source }) => source)).toEqual(schedulers.map(({ name }) => name));
    expect(explanations.every(({ summary }) => summary !== "")).toBe(true);
    const { operator } = await admin.removePeer({ regionId: 1n, storeId: 2n });
    const [first] = (await admin.explainRegion({ regionId: 1n })).explanations;
    expect(first).toMatchObject({ source: "coordinator", acts: false });
    expect(first?.summary).toContain(`operator ${operator?.id} (remove-peer by admin) has the region`);
    await admin.pauseScheduler({ name: "balance-region" });
    const paused = (await admin.explainRegion({ regionId: 1n })).explanations.find(
      ({ source }) => source === "balance-region",
    );
    expect([paused?.acts, paused?.summary.startsWith("paused; it would say: ")]).toEqual([false, true]);
    expect((await refusal(admin.explainRegion({ regionId: 9n }))).code).toBe("RDB_NOT_FOUND");
  });

  test("after PD's start nothing is planned before all Stores reported, and explain says so", async () => {
    await fourStores(pd);
    await pd.restart();
    admin = pd.adminClient();
    const [first] = (await admin.explainRegion({ regionId: 1n })).explanations;
    expect(first?.summary).toBe(
      "nothing is planned before all stores reported: 1, 2, 3, 4 did not since the start",
    );
  });
});

describe("settings of placement", () => {
  async function value(name: string) {
    const { settings } = await admin.getPlacementConfig({});
    return settings.find((each) => each.name === name);
  }

  test("begin with the config, change durably, and go back to it", async () => {
    expect(await value("maxStoreDownTimeMs")).toMatchObject({ value: "60000", defaultValue: "60000" });
    await admin.setPlacementConfig({
      values: {
        maxStoreDownTimeMs: "10000",
        locationLabels: "zone, rack",
        mergeEnabled: "true",
        tolerance: "0.1",
      },
    });
    await pd.restart();
    admin = pd.adminClient();
    expect(await value("maxStoreDownTimeMs")).toMatchObject({ value: "10000", defaultValue: "60000" });
    expect((await value("locationLabels"))?.value).toBe("zone,rack");
    expect((await value("mergeEnabled"))?.value).toBe("true");
    await admin.setPlacementConfig({ values: { maxStoreDownTimeMs: "" } });
    expect((await value("maxStoreDownTimeMs"))?.value).toBe("60000");
  });

  test.each([
    [{ maxStoreDownTime: "1" }, "maxStoreDownTime is no setting of placement"],
    [{ replicas: "0" }, "replicas 0 must be >= 1"],
    [{ replicas: "three" }, 'replicas "three" must be of type number'],
    [{ mergeEnabled: "yes" }, 'mergeEnabled "yes" must be of type boolean'],
    [{ leaderLimit: "2", tolerance: "2" }, "tolerance 2 must be <= 1"],
  ])("%o is refused, and nothing of it set: %s", async (values, message) => {
    const error = await refusal(admin.setPlacementConfig({ values }));
    expect(error.code).toBe("RDB_INVALID_ARGUMENT");
    expect(error.message).toContain(message);
    expect((await value("leaderLimit"))?.value).toBe("8");
  });
});
