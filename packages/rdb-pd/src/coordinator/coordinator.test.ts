import { type PeerId, type RegionId, SeededRandom, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { beforeEach, describe, expect, test } from "vitest";
import { ClusterState } from "../cluster/cluster-state.ts";
import { DurableState } from "../cluster/durable-state.ts";
import type { RegionInfo } from "../cluster/region-info.ts";
import { applyCommand } from "../command/apply.ts";
import { registerStore } from "../command/register-store.ts";
import { IdReserve } from "../id/id-reserve.ts";
import { pdLimits } from "../limits.ts";
import { OperatorController } from "../operator/operator-controller.ts";
import { ClusterPlacementView } from "../placement/cluster-placement-view.ts";
import type { Checker, Decision, Scheduler } from "../placement/decision.ts";
import type { OperatorPlan } from "../placement/operator-plan.ts";
import { placementSchema } from "../placement/placement-config.ts";
import type { PlacementView } from "../placement/placement-view.ts";
import { planFor } from "../placement/plans.ts";
import { registerCommand } from "../testing/registration.ts";
import { leaderReport } from "../testing/regions.ts";
import { Coordinator } from "./coordinator.ts";
import { Planner } from "./planner.ts";
import { Readiness } from "./readiness.ts";

const LETTERS = "abcdefgh";
const TICK_MS = 100;

let cluster: ClusterState;
let controller: OperatorController;
let ids: IdReserve;
let config = placementSchema.parse({});
let nowMs: number;

const now = () => ({ monotonicMs: nowMs, wallMs: nowMs });

beforeEach(async () => {
  nowMs = 1_000;
  config = placementSchema.parse({ patrolBatch: 3 });
  const durable = new DurableState();
  registerStore(durable, registerCommand());
  cluster = new ClusterState(durable, 0, () => 60_000);
  const reports = LETTERS.split("").map((letter, at) =>
    leaderReport({ id: at + 1, range: `${at === 0 ? "" : letter}-${LETTERS[at + 1] ?? ""}` }),
  );
  for (const { region } of reports) {
    durable.putRegion(region);
  }
  cluster.observe(reports, 0);
  cluster.activity(storeId(1)).reconcile([], new Uint8Array(8));
  let nextId = 1;
  ids = new IdReserve(
    async (count) => {
      nextId += count;
      return nextId - count;
    },
    (error) => {
      throw error;
    },
  );
  await ids.fill();
  controller = new OperatorController({
    region: (id) => cluster.region(id),
    condition: () => "Up",
    config: () => config,
    takeId: () => ids.take(),
    send: () => true,
    recorded: () => {},
  });
});

/** Notes what it is asked about, and acts on what it is told to. */
class FakeChecker implements Checker {
  readonly name: string;
  readonly isEssential = false;
  repairs = false;
  readonly asked: RegionId[] = [];
  actsOn = new Set<number>();

  constructor(name = "fake") {
    this.name = name;
  }

  check(info: RegionInfo, view: PlacementView): Decision {
    this.asked.push(info.region.id);
    const newPeerId = view.newPeerId();
    return this.actsOn.has(info.region.id)
      ? { acts: true, plan: { ...plan(info, this.name, newPeerId), ...this.#urgency() }, ruledOut: [] }
      : { acts: false, summary: "all is well", ruledOut: [] };
  }

  #urgency(): Partial<OperatorPlan> {
    return this.repairs ? { priority: "High", repairs: true } : {};
  }
}

function plan(info: RegionInfo, origin: string, newPeerId = peerId(999)): OperatorPlan {
  const head = { kind: "test", origin, priority: "Low", motive: "it was told to" } as const;
  return planFor(info, head, [{ kind: "add-learner", storeId: storeId(9), peerId: newPeerId }]);
}

function coordinator(checkers: Checker[], schedulers: Scheduler[] = []): Coordinator {
  const view = new ClusterPlacementView(
    {
      cluster,
      config: () => config,
      influence: (id) => controller.influence(id),
      hasOperator: (id) => controller.hasOperator(id),
      newPeerId: () => (ids.draw() ?? 0) as PeerId,
      random: (bound) => new SeededRandom(1).nextInt(bound),
    },
    0,
  );
  return new Coordinator({
    cluster,
    view,
    checkers,
    schedulers,
    planner: new Planner({ controller, ids, config: () => config }),
    readiness: new Readiness(cluster, 0),
    idCount: () => ids.count,
  });
}

function tick(run: Coordinator, times = 1): void {
  for (let time = 0; time < times; time++) {
    nowMs += TICK_MS;
    run.tick(now());
  }
}

describe("the patrol", () => {
  test("asks about every Region in the order of their keys, a slice at a time, then rests until the next round", () => {
    const checker = new FakeChecker();
    const run = coordinator([checker]);
    tick(run);
    expect(checker.asked).toEqual([1, 2, 3]);
    tick(run, 2);
    expect(checker.asked).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    tick(run, 6);
    expect([checker.asked.length, run.patrolRoundCount]).toEqual([8, 1]);
    tick(run, 4);
    expect(checker.asked.slice(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("a Region that changed is asked about at once, and one with an operator not at all", () => {
    const checker = new FakeChecker();
    const run = coordinator([checker]);
    run.regionChanged(regionId(8));
    tick(run);
    expect(checker.asked[0]).toBe(8);
    checker.actsOn.add(5);
    tick(run, 20);
    const before = checker.asked.filter((id) => id === 5).length;
    tick(run, 20);
    expect(checker.asked.filter((id) => id === 5)).toHaveLength(before);
    expect(controller.active().map(({ regionId: id }) => id)).toEqual([5]);
  });

  test("only who repairs is asked about a Region with an operator, and takes its place", () => {
    const [other, replica] = [new FakeChecker("other"), new FakeChecker("replica")];
    replica.repairs = true;
    other.actsOn.add(5);
    const run = coordinator([other, replica]);
    tick(run, 20);
    expect(controller.active().map(({ origin }) => origin)).toEqual(["other"]);
    other.actsOn.clear();
    const before = other.asked.filter((id) => id === 5).length;
    replica.actsOn.add(5);
    tick(run, 20);
    expect(other.asked.filter((id) => id === 5)).toHaveLength(before);
    expect(controller.active().map(({ origin }) => origin)).toEqual(["replica"]);
    // It is not asked again and again about its own.
    const asked = replica.asked.filter((id) => id === 5).length;
    tick(run, 20);
    expect(replica.asked.filter((id) => id === 5)).toHaveLength(asked);
  });

  test("the first that acts has the Region, those behind it are not asked", () => {
    const [first, second] = [new FakeChecker("first"), new FakeChecker("second")];
    first.actsOn.add(1);
    second.actsOn.add(1);
    const run = coordinator([first, second]);
    tick(run);
    expect(controller.active().map(({ origin }) => origin)).toEqual(["first"]);
    expect(second.asked).toEqual([2, 3]);
    expect(run.sources(0)[0]?.lastWord).toBe("it was told to");
  });

  test("one that is at its limit keeps those behind it from a Region that is to be repaired first", () => {
    config = placementSchema.parse({ replicaLimit: 1, patrolBatch: 8 });
    const [replica, merge] = [new FakeChecker("replica"), new FakeChecker("merge")];
    replica.actsOn = new Set([1, 2]);
    merge.actsOn = new Set([2]);
    const run = coordinator([replica, merge]);
    tick(run);
    expect(controller.active().map(({ regionId: id, origin }) => [id, origin])).toEqual([[1, "replica"]]);
    expect(run.sources(0)[0]?.lastWord).toBe("as many of its operators run as may: replicaLimit is 1");
  });

  test("finds ids at hand for each decision, however many are made in one turn; the others come when there are more", async () => {
    class HungryChecker extends FakeChecker {
      override check(info: RegionInfo, view: PlacementView): Decision {
        // As many as a few hundred decisions together.
        const drawn = Array.from({ length: 300 }, () => view.newPeerId());
        expect(drawn).not.toContain(0);
        return super.check(info, view);
      }
    }
    config = placementSchema.parse({ patrolBatch: 8 });
    const checker = new HungryChecker();
    checker.actsOn = new Set([1, 2, 3, 4, 5, 6, 7, 8]);
    while (ids.count > pdLimits.planningMinIdCount) {
      ids.take();
    }
    const run = coordinator([checker]);
    tick(run);
    expect([checker.asked, controller.activeCount]).toEqual([[1, 2], 2]);
    await ids.fill();
    tick(run, 20);
    expect([checker.asked, controller.activeCount]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8], 8]);
  });

  test("ids of decisions that came to nothing are used again", () => {
    config = placementSchema.parse({ replicaLimit: 0 });
    const atLimit = new FakeChecker("replica");
    atLimit.actsOn = new Set([1, 2, 3, 4, 5, 6, 7, 8]);
    const run = coordinator([atLimit, new FakeChecker()]);
    const before = ids.count;
    tick(run, 50);
    expect(ids.count).toBe(before);
  });
});

describe("schedulers", () => {
  class FakeScheduler implements Scheduler {
    readonly name = "balance-leader";
    readonly askedMs: number[] = [];
    readonly limits: number[] = [];
    regions: RegionId[] = [];

    schedule(view: PlacementView, limit: number) {
      this.askedMs.push(view.nowMs);
      this.limits.push(limit);
      const infos = this.regions.splice(0, limit).map((id) => view.region(id) as RegionInfo);
      return { plans: infos.map((info) => plan(info, this.name)), word: `${infos.length} planned` };
    }

    explain(): Decision {
      return { acts: false, summary: "explained", ruledOut: [] };
    }
  }

  test("are asked less and less while they find nothing, and soon again once they do", () => {
    const scheduler = new FakeScheduler();
    const run = coordinator([], [scheduler]);
    tick(run, 600);
    const gaps = scheduler.askedMs.slice(1).map((ms, at) => ms - (scheduler.askedMs[at] ?? 0));
    expect(gaps[0]).toBeLessThanOrEqual(300);
    expect(gaps.at(-1)).toBe(pdLimits.schedulerMaxIntervalMs);
    scheduler.regions = [regionId(1)];
    const { length } = scheduler.askedMs;
    tick(run, 60);
    const [planned = 0, next = 0] = scheduler.askedMs.slice(length);
    expect(next - planned).toBe(pdLimits.schedulerMinIntervalMs);
  });

  test("get what is left of their limit", () => {
    config = placementSchema.parse({ leaderLimit: 2 });
    const scheduler = new FakeScheduler();
    scheduler.regions = [regionId(1), regionId(2), regionId(3)];
    const run = coordinator([], [scheduler]);
    tick(run, 10);
    expect(scheduler.limits).toEqual([2]);
    expect(controller.countOf("balance-leader")).toBe(2);
    expect(run.sources(0)[0]?.lastWord).toBe("as many of its operators run as may: leaderLimit is 2");
  });

  test("are not asked while they are paused", () => {
    const scheduler = new FakeScheduler();
    const run = coordinator([], [scheduler]);
    const pause = { kind: "PauseScheduler", name: scheduler.name, isPaused: true } as const;
    applyCommand(cluster.durable, { ...pause, untilMs: nowMs + 1_000 });
    tick(run, 9);
    expect(scheduler.askedMs).toEqual([]);
    tick(run, 2);
    expect(scheduler.askedMs).toHaveLength(1);
    applyCommand(cluster.durable, { ...pause, untilMs: 0 });
    tick(run, 100);
    expect(scheduler.askedMs).toHaveLength(1);
  });
});

test("nothing is planned before all Stores reported, or two of their periods went by", () => {
  registerStore(cluster.durable, registerCommand({ address: "127.0.0.1:7411" }));
  const checker = new FakeChecker();
  const run = coordinator([checker]);
  tick(run, 10);
  expect(checker.asked).toEqual([]);
  nowMs = pdLimits.reportsMaxWaitMs;
  tick(run);
  expect(checker.asked).not.toEqual([]);
});

test("to explain is to decide, and changes nothing", () => {
  const checker = new FakeChecker();
  checker.actsOn.add(1);
  const run = coordinator([checker]);
  const before = ids.count;
  const [decided] = run.explain(cluster.region(regionId(1)) as RegionInfo, now());
  expect(decided).toMatchObject({ source: "fake", isPaused: false, decision: { acts: true } });
  expect([ids.count, controller.activeCount]).toEqual([before, 0]);
});
