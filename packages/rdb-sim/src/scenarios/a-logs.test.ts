import { describe, expect, it } from "vitest";
import { entryOnDisk, expectInvariants, rowsOnDisk, valueOnDisk } from "./invariants.ts";
import { outcomeOf } from "./scenario-client.ts";
import { Scenario, type StoreMember } from "./scenario.ts";

/** Each proposal is an entry of its own. */
const SMALL_ENTRIES = { entryMaxBytes: 1, hibernateAfterMs: 0 };

/**
 * Five puts that this leader appends and cannot commit; resolves to how each ended. They come together: what came later
 * would wait until some of those before are applied.
 */
async function appendInVain(scenario: Scenario, leader: StoreMember, name: string): Promise<string[]> {
  const before = scenario.statusOf(leader).lastIndex;
  const client = scenario.client();
  const outcomes = Array.from({ length: 5 }, (_, count) =>
    client.put(`tail ${name} ${count}`, "lost", { deadlineMs: 300 }).then(() => "ok", outcomeOf),
  );
  await scenario.run(25);
  expect(scenario.statusOf(leader).lastIndex).toBe(before + 5);
  return scenario.complete(Promise.all(outcomes));
}

async function expectNoTail(scenario: Scenario, store: StoreMember): Promise<void> {
  const tails = (await scenario.complete(rowsOnDisk(store, "data"))).filter((row) =>
    row.startsWith(Buffer.from("tail ").toString("hex")),
  );
  expect(tails).toEqual([]);
}

describe("block A: logs that differ", () => {
  it("SCENARIO-10 leader-change-with-uncommitted-log: its tail is cut, and its client never gets ok", async () => {
    const scenario = await Scenario.start({ seed: 1000, limits: SMALL_ENTRIES });
    await scenario.put("k", "before");
    const old = await scenario.waitForLeader();
    const heal = scenario.splitStores(old);
    expect(await appendInVain(scenario, old, "a")).toEqual(Array.from({ length: 5 }, () => "unknown"));
    await scenario.waitForLeader((store) => store !== old);
    await scenario.put("k", "after");
    heal();
    await scenario.until("the old leader has what was committed", () => valueOnDisk(old, "k") === "after");
    await expectInvariants(scenario);
    for (const store of scenario.stores) {
      await expectNoTail(scenario, store);
    }
  });

  it("SCENARIO-11 log-overlap: two tails of different terms at the same indexes give way to the third's log", async () => {
    const scenario = await Scenario.start({ seed: 1100, limits: SMALL_ENTRIES });
    await scenario.put("k", "before");
    const first = await scenario.waitForLeader();
    const common = scenario.statusOf(first).lastIndex;
    const healFirst = scenario.splitStores(first);
    await appendInVain(scenario, first, "a");
    const second = await scenario.waitForLeader((store) => store !== first);
    await scenario.until("it leads for sure", () => scenario.statusOf(second).commitIndex > common);
    // The client finds it, so that the next puts go there.
    expect(await scenario.get("k")).toBe("before");
    const healSecond = scenario.splitStores(second);
    await appendInVain(scenario, second, "b");
    const tails = [first, second].map((store) => entryOnDisk(scenario, store, common + 2));
    expect(tails[0]).toBeDefined();
    expect(tails[1]).toBeDefined();
    expect(tails[0]).not.toBe(tails[1]);

    const [third] = scenario.others(first, second) as [StoreMember];
    healFirst();
    await scenario.waitForLeader((store) => store === third);
    await scenario.put("k", "after", 5_000);
    healSecond();
    await expectInvariants(scenario);
    expect(await scenario.get("k")).toBe("after");
    for (const store of scenario.stores) {
      await expectNoTail(scenario, store);
    }
  });

  it("SCENARIO-12 read-with-unapplied-log: a new leader serves the newest value, when it has applied it", async () => {
    let unappliedCount = 0;
    for (let seed = 1200; seed < 1206; seed++) {
      const scenario = await Scenario.start({ seed, limits: { hibernateAfterMs: 0 } });
      await scenario.put("k", "old");
      const old = await scenario.waitForLeader();
      await scenario.put("k", "new");
      scenario.takeDown([old], "power-off");
      const next = await scenario.waitForLeader((store) => store !== old);
      scenario.slowDisk(next, 300);
      const { appliedIndex, lastIndex } = scenario.statusOf(next);
      unappliedCount += appliedIndex < lastIndex ? 1 : 0;
      expect(await scenario.get("k", 5_000), `seed ${seed}`).toBe("new");
      await expectInvariants(scenario);
    }
    expect(unappliedCount).toBeGreaterThan(0);
  });
});
