import { RdbError, assert } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { drivenBy } from "../cluster/pd-program.ts";
import type { SimCluster } from "../cluster/sim-cluster.ts";
import { expectInvariants } from "./invariants.ts";
import { Scenario } from "./scenario.ts";

type PdMember = SimCluster["pd"];

/** Placement goes on within this after a fault, in virtual ms: an election, and a report of each Store. */
const GOES_ON_MS = 3_000;
const SEEDS = [5_901, 5_902, 5_903];

function start(seed: number): Promise<Scenario> {
  return Scenario.start({ seed, pdMemberCount: 3, elastic: { repairs: true } });
}

function leads(member: PdMember): boolean {
  return drivenBy(member.process.running) !== undefined;
}

/** Takes ids from whoever leads until it gives some; notes them, each once. */
async function takeIds(scenario: Scenario, ids: Set<number>): Promise<void> {
  const count = 1_500;
  let firstId: number | undefined;
  await scenario.until("PD gives ids", () => {
    const { pd } = scenario.cluster;
    if (firstId === undefined && leads(pd)) {
      pd.process.call(({ driver }) => {
        driver.allocateIds(count).then(
          (id) => {
            firstId = id;
          },
          // It leads no more: another one is asked.
          (error: unknown) => expect(error).toBeInstanceOf(RdbError),
        );
      });
    }
    return firstId !== undefined;
  });
  for (let id = firstId ?? 0; id < (firstId ?? 0) + count; id++) {
    expect(ids.has(id), `id ${id} was given out before`).toBe(false);
    ids.add(id);
  }
}

/** Whether the member that leads has heard everything from every Store, and knows who leads the Region. */
function isReady(scenario: Scenario): boolean {
  const driver = drivenBy(scenario.cluster.pd.process.running);
  return (
    driver?.coordination.readiness.missing().length === 0 &&
    scenario.regionIds.every((id) => driver.cluster.region(id)?.status?.leader !== undefined)
  );
}

describe("SPEC-M7: three members of the placement driver", () => {
  it.each(SEEDS)(
    "seed %i: its leader is killed again and again; placement goes on, ids never repeat",
    async (seed) => {
      const scenario = await start(seed);
      const ids = new Set<number>();
      scenario.startLoops([0]);
      await scenario.until("PD is ready", () => isReady(scenario));
      for (let round = 0; round < 5; round++) {
        await takeIds(scenario, ids);
        const old = scenario.cluster.pd;
        const restart = scenario.takeDown([old], round % 2 === 0 ? "kill" : "power-off");
        await scenario.until("another member leads", () => leads(scenario.cluster.pd), GOES_ON_MS);
        expect(scenario.cluster.pd).not.toBe(old);
        await scenario.until("every Store has reported to it", () => isReady(scenario), GOES_ON_MS);
        await takeIds(scenario, ids);
        restart();
        await scenario.until("all members run", () => scenario.cluster.isWell || old.process.isWell);
      }
      expect(scenario.loopFailures).toEqual([]);
      await expectInvariants(scenario);
    },
  );

  it("a leader that is cut off from the other members leads no more", async () => {
    const scenario = await start(5_910);
    await scenario.until("PD is ready", () => isReady(scenario));
    const old = scenario.cluster.pd;
    const others = scenario.cluster.pds.filter((member) => member !== old).map(({ name }) => name);
    const heal = scenario.fault(
      ...others.flatMap((name) => [
        { kind: "one-way", from: old.name, to: name } as const,
        { kind: "one-way", from: name, to: old.name } as const,
      ]),
    );
    await scenario.until("another member leads", () =>
      scenario.cluster.pds.some((each) => each !== old && leads(each)),
    );
    await scenario.until("the old one does not", () => !leads(old));
    await scenario.until("Stores report to the new one", () => isReady(scenario));
    heal();
    const [id] = scenario.regionIds;
    const leader = await scenario.waitForLeader();
    const heir = scenario.stores.find((store) => store !== leader)?.process.running?.ident.storeId;
    assert(id !== undefined && heir !== undefined, "there is a Region, and a Store that may lead it");
    scenario.cluster.pd.process.call(({ driver }) => {
      driver.admin.peers.transferLeader(id, heir);
    });
    await scenario.until("the Region is led elsewhere", () => scenario.leader() !== leader);
    await expectInvariants(scenario);
  });
});
