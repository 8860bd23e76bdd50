import { RdbError, regionId, storeId } from "@flaredb/rdb-base";
import type { StorePeerReport } from "@flaredb/rdb-proto";
import { expect, test } from "vitest";
import type { ClusterLookup } from "../cluster/cluster-lookup.ts";
import { region } from "../testing/regions.ts";
import { askRegionPeers } from "./region-peers.ts";

const asked = region({ id: 1, range: "-" });
const lookup = {
  regionById: () => ({ region: asked }),
  storesOf: () =>
    asked.peers.map((peer) => ({ store: { id: peer.storeId, httpAddress: `store-${peer.storeId}` } })),
} as unknown as ClusterLookup;

const [one, two, three] = asked.peers.map(({ id }) => id);

function report(peerId: number | undefined, change: Partial<StorePeerReport> = {}): StorePeerReport {
  return {
    ...{ peerId: Number(peerId), isLeader: false, isAsleep: false, term: 5, followers: [] },
    ...{ commitIndex: 90, appliedIndex: 90, firstIndex: 10, lastIndex: 95 },
    ...change,
  };
}

const follower = (peerId: number | undefined, matchIndex: number) => ({
  ...{ peerId: Number(peerId), state: "replicate", matchIndex, nextIndex: matchIndex + 1, isAlive: true },
});

function answers(reports: Readonly<Record<string, StorePeerReport | Error | undefined>>) {
  return askRegionPeers(
    lookup,
    (address) => {
      const answer = reports[address];
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    regionId(1),
  );
}

test("each peer says how far it is, and the leader how far it knows the others to be", async () => {
  const followers = [follower(two, 95), follower(three, 40)];
  const leader = report(one, { isLeader: true, lastIndex: 100, followers });
  const peers = await answers({ "store-1": leader, "store-2": report(two), "store-3": report(three) });
  expect(peers.map(({ peer, report: said, lagCount }) => [peer.storeId, said?.lastIndex, lagCount])).toEqual([
    [storeId(1), 100, undefined],
    [storeId(2), 95, 5],
    [storeId(3), 95, 60],
  ]);
});

test("of two that believe to lead, the later term's is asked", async () => {
  const old = report(one, { isLeader: true, term: 4, followers: [follower(three, 1)] });
  const now = report(two, { isLeader: true, term: 5, lastIndex: 100, followers: [follower(three, 99)] });
  const peers = await answers({ "store-1": old, "store-2": now, "store-3": report(three) });
  expect(peers.map(({ lagCount }) => lagCount)).toEqual([undefined, undefined, 1]);
});

test("a Store that does not answer, or has another peer, hides nothing of the rest", async () => {
  const silent = new RdbError("RDB_UNAVAILABLE", "does not answer in time");
  const peers = await answers({
    "store-1": report(one, { isLeader: true, followers: [follower(two, 95)] }),
    "store-2": silent,
    "store-3": report(999),
  });
  expect(peers.map(({ failure }) => failure)).toEqual([
    "",
    "does not answer in time",
    "Store 3 does not have the peer",
  ]);
  expect(peers[1]).toMatchObject({ report: undefined, lagCount: 0 });
});
