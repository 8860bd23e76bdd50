import { type PeerId, peerId, regionId, term } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { type SleepingPeer, SleepWatch } from "./sleep-watch.ts";

const MEMBERS = [1, 2, 3].map((id) => ({ id: peerId(id) }));

function peer(id: number, change: Partial<SleepingPeer> = {}): SleepingPeer {
  return {
    ...{ region: { id: regionId(1), peers: MEMBERS }, peerId: peerId(id), term: term(6), lastIndex: 9 },
    ...{ isLeader: id === 1, isAsleep: true, downPeerIds: [] as PeerId[], ...change },
  };
}

function looks(peers: readonly SleepingPeer[], count: number): string[] {
  const watch = new SleepWatch();
  return Array.from({ length: count }, () => watch.look(peers)?.message ?? "").filter((text) => text !== "");
}

test("a peer that stays behind a sleeping leader is told", () => {
  expect(looks([peer(1), peer(2), peer(3, { lastIndex: 8, isAsleep: false })], 3)).toEqual([]);
  expect(looks([peer(1), peer(2), peer(3, { lastIndex: 8, isAsleep: false })], 4)).toEqual([
    "peer 3 of Region 1 has entries up to 8, its leader, peer 1, sleeps at 9 in term 6",
  ]);
});

test.each([
  ["the leader is awake", [peer(1, { isAsleep: false }), peer(2, { lastIndex: 8 })]],
  ["its Store is not heard of", [peer(1, { downPeerIds: [peerId(2)] }), peer(2, { lastIndex: 8 })]],
  [
    "it was removed from the Region",
    [peer(1, { region: { id: regionId(1), peers: [{ id: peerId(1) }] } }), peer(2, { lastIndex: 8 })],
  ],
  [
    "it belongs to another Region",
    [peer(1), peer(2, { lastIndex: 8, region: { id: regionId(2), peers: MEMBERS } })],
  ],
  ["another term began", [peer(1), peer(2, { lastIndex: 8, term: term(7) })]],
  ["it has everything", [peer(1), peer(2)]],
])("nothing is wrong when %s", (_, peers) => {
  expect(looks(peers, 10)).toEqual([]);
});

test("one that catches up between two looks begins anew", () => {
  const watch = new SleepWatch();
  const behind = [peer(1), peer(2, { lastIndex: 8 })];
  const told = [behind, behind, behind, [peer(1), peer(2)], behind, behind].map((peers) => watch.look(peers));
  expect(told.every((violation) => violation === undefined)).toBe(true);
});
