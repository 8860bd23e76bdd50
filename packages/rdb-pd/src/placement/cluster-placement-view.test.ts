import { SeededRandom, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { beforeEach, describe, expect, test } from "vitest";
import { ClusterState } from "../cluster/cluster-state.ts";
import { DurableState } from "../cluster/durable-state.ts";
import { applyCommand } from "../command/apply.ts";
import { NO_INFLUENCE } from "../operator/influence.ts";
import { registerCommand } from "../testing/registration.ts";
import { leaderReport } from "../testing/regions.ts";
import { ClusterPlacementView } from "./cluster-placement-view.ts";
import { placementSchema } from "./placement-config.ts";

const [one, two, three] = [storeId(1), storeId(2), storeId(3)];

let cluster: ClusterState;
let influence = NO_INFLUENCE;
let view: ClusterPlacementView;

beforeEach(() => {
  influence = NO_INFLUENCE;
  const durable = new DurableState();
  for (const port of [7410, 7411, 7412]) {
    applyCommand(durable, registerCommand({ address: `127.0.0.1:${port}` }));
  }
  cluster = new ClusterState(durable, 0, () => 60_000);
  const random = new SeededRandom(7);
  const config = placementSchema.parse({ storeAddLimit: 2, storeRemoveLimit: 2 });
  view = new ClusterPlacementView(
    {
      cluster,
      config: () => config,
      influence: () => influence,
      hasOperator: () => false,
      newPeerId: () => peerId(77),
      random: (bound) => random.nextInt(bound),
    },
    0,
  );
  report({ id: 1, range: "-f" }, 1);
  report({ id: 2, range: "f-m" }, 2);
  report({ id: 3, range: "p-" }, 2);
  for (const id of [one, two, three]) {
    cluster.heard(id, { monotonicMs: 1_000, wallMs: 1_000 });
  }
  view.refresh(1_000);
});

function report(sketch: { id: number; range: string; version?: number }, store: number): void {
  const said = leaderReport(sketch, { store, sizeBytes: 10 });
  cluster.durable.putRegion(said.region);
  cluster.observe([said], 0);
}

describe("the view of placement", () => {
  test("shows what is, not what was when it was asked for", () => {
    const store = view.store(two);
    expect(store).toMatchObject({ condition: "Up", regionCount: 3, leaderCount: 2, regionSizeBytes: 30 });
    report({ id: 4, range: "m-p" }, 2);
    influence = { ...NO_INFLUENCE, regionCount: 2, sizeBytes: 5, leaderCount: -1, addingCount: 2 };
    expect(store).toMatchObject({
      regionCount: 4,
      leaderCount: 3,
      plannedRegionCount: 2,
      plannedLeaderCount: -1,
      plannedSizeBytes: 5,
      canAddPeer: false,
      canRemovePeer: true,
    });
  });

  test("follows what people want of Stores, and leaves out those that are gone", () => {
    applyCommand(cluster.durable, {
      kind: "SetStore",
      storeId: one,
      isDraining: true,
      labels: { zone: "a" },
    });
    view.refresh(1_000);
    expect(view.store(one)).toMatchObject({ isDraining: true, labels: { zone: "a" } });
    applyCommand(
      cluster.durable,
      registerCommand({ address: "127.0.0.1:7410", registrationToken: "new" }, [1]),
    );
    view.refresh(1_000);
    expect(view.stores().map(({ id }) => id)).toEqual([2, 3, 4]);
    expect(view.store(one)).toBeUndefined();
  });

  test("a Store is down when its time is up, and gives without limit then", () => {
    influence = { ...NO_INFLUENCE, removingCount: 2 };
    expect(view.store(three)?.canRemovePeer).toBe(false);
    for (let ms = 2_000; ms <= 62_000; ms += 1_000) {
      cluster.liveness.pulse(ms);
    }
    view.refresh(62_000);
    expect(view.store(three)).toMatchObject({ condition: "Down", canRemovePeer: true });
  });

  test("neighbours are those that touch", () => {
    const at = (id: number) => {
      const info = view.region(regionId(id));
      const { left, right } = view.neighbours((info as NonNullable<typeof info>).region);
      return [left?.region.id, right?.region.id];
    };
    expect([at(1), at(2), at(3)]).toEqual([
      [undefined, 2],
      [1, undefined],
      [undefined, undefined],
    ]);
  });

  test("picks any Region of a Store by chance, by role, and only what fits", () => {
    const picks = (role: "leader" | "follower" | "any") =>
      new Set(Array.from({ length: 200 }, () => view.pickRegionOn(two, role, 1, () => true)?.region.id));
    expect(picks("leader")).toEqual(new Set([2, 3]));
    expect(picks("follower")).toEqual(new Set([1]));
    expect(picks("any")).toEqual(new Set([1, 2, 3]));
    expect(view.pickRegionOn(two, "any", 50, ({ region }) => region.id === 3)?.region.id).toBe(3);
    expect(view.pickRegionOn(two, "any", 50, () => false)).toBeUndefined();
    expect(view.pickRegionOn(three, "leader", 50, () => true)).toBeUndefined();
    expect([...view.regionsLedBy(one)].map(({ region }) => region.id)).toEqual([1]);
  });
});
