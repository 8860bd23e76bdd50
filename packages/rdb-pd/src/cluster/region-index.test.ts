import { type StoreId, peerId, storeId } from "@flaredb/rdb-base";
import { SeededRandom } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { registerStore } from "../command/register-store.ts";
import { registerCommand } from "../testing/registration.ts";
import { leaderReport, region } from "../testing/regions.ts";
import { ClusterState } from "./cluster-state.ts";
import { DurableState } from "./durable-state.ts";
import type { LeaderReport } from "./region-info.ts";

const STORES = [1, 2, 3, 4, 5];
const LETTERS = "abcdefghij";

function cluster(): ClusterState {
  const durable = new DurableState();
  for (const store of STORES) {
    registerStore(durable, registerCommand({ address: `127.0.0.1:${store}` }));
  }
  return new ClusterState(durable, 0, () => 1_000);
}

/** The same by walking all Regions. */
function counted(state: ClusterState, id: StoreId) {
  const count = { led: 0, followed: 0, sizeBytes: 0, pending: 0, writtenBytes: 0 };
  for (const each of state.durable.regions.all()) {
    const { status } = state.infoOf(each);
    const here = each.peers.find((peer) => peer.storeId === id);
    if (here === undefined) {
      continue;
    }
    const leads = each.peers.find((peer) => peer.id === status?.leader?.id)?.storeId === id;
    count.led += Number(leads);
    count.followed += Number(!leads);
    count.sizeBytes += status?.approximateSizeBytes ?? 0;
    count.pending += Number(status?.pendingPeerIds.includes(here.id) === true);
    count.writtenBytes += leads ? (status?.load.writtenBytesPerSecond ?? 0) : 0;
  }
  return count;
}

function indexed(state: ClusterState, id: StoreId) {
  const { led, followed, sizeBytes, pendingPeerCount, load } = state.index.of(id);
  return {
    led: led.size,
    followed: followed.size,
    sizeBytes,
    pending: pendingPeerCount,
    writtenBytes: load.writtenBytesPerSecond,
  };
}

function randomReport(random: SeededRandom, version: number, confVer: number): LeaderReport {
  const id = random.nextInt(8) + 1;
  const from = random.nextInt(LETTERS.length - 1);
  const to = from + 1 + random.nextInt(LETTERS.length - from);
  const stores = STORES.filter(() => random.nextInt(2) === 0);
  const leader = stores[random.nextInt(Math.max(stores.length, 1))] ?? 1;
  const sketch = {
    id,
    range: `${LETTERS[from]}-${LETTERS[to] ?? ""}`,
    version,
    confVer,
    stores: stores.length > 0 ? stores : [1],
  };
  const report = leaderReport(sketch, { store: leader, term: 6 + confVer, sizeBytes: random.nextInt(1_000) });
  return {
    ...report,
    pendingPeerIds: random.nextInt(2) === 0 ? [] : [peerId(id * 100 + leader)],
    load: { ...report.load, writtenBytesPerSecond: random.nextInt(50) },
  };
}

test("whatever is reported, in whatever order, each Store's sums are those of a walk over all Regions", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = new SeededRandom(seed);
    const state = cluster();
    for (let round = 1; round <= 60; round++) {
      const version = Math.max(1, round - random.nextInt(4));
      const report = randomReport(random, version, 1 + random.nextInt(3));
      for (const route of state.routesToRecord([report])) {
        state.durable.putRegion(route);
      }
      state.observe([report], round);
      if (random.nextInt(5) === 0) {
        state.steppedDown([{ ...report, isLeader: false }]);
      }
      if (random.nextInt(10) === 0) {
        const store = state.durable.stores.get(storeId(1 + random.nextInt(STORES.length)));
        state.registered({ ...(store as NonNullable<typeof store>), bootId: BigInt(round) });
      }
      for (const id of STORES.map(storeId)) {
        expect(indexed(state, id), `seed ${seed}, round ${round}, store ${id}`).toEqual(counted(state, id));
      }
    }
  }
});

test("it begins with the Regions that PD's log holds", () => {
  const before = cluster();
  before.durable.putRegion(region({ id: 1, range: "-m" }));
  before.durable.putRegion(region({ id: 2, range: "m-", stores: [3, 4, 5] }));
  const after = new ClusterState(before.durable, 0, () => 1_000);
  expect(STORES.map((id) => after.index.of(storeId(id)).regionCount)).toEqual([1, 1, 2, 1, 1]);
});
