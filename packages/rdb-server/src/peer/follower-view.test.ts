import { type Region, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { FollowerView, type FollowerViewOwner } from "./follower-view.ts";

const region: Region = {
  id: regionId(1),
  startKey: new Uint8Array(),
  endKey: new Uint8Array(),
  epoch: { confVer: 1, version: 1 },
  peers: [1, 2, 3].map((id) => ({ id: peerId(id), storeId: storeId(id), role: "Voter" })),
};

/** The view of peer 1, which leads, over a log that begins behind index 5. */
function view() {
  const match = new Map([
    [2, 9],
    [3, 9],
  ]);
  const silent = new Set<number>();
  const followers = new FollowerView({
    peerId: peerId(1),
    node: {
      isLeader: true,
      progressOf: (id: number) => ({ match: match.get(id), state: "StateReplicate" }),
    } as unknown as FollowerViewOwner["node"],
    log: { firstIndex: () => 6 } as unknown as FollowerViewOwner["log"],
    region: () => region,
    isAlive: (peer) => !silent.has(peer.storeId),
  });
  return { followers, match, silent };
}

test("names peers on silent Stores, and those that the log does not reach any more", () => {
  const { followers, match, silent } = view();
  silent.add(2);
  match.set(3, 4);
  expect(followers.troubles()).toEqual({ down: [2], pending: [3] });
});

test("troubles have changed when they differ from the last ones", () => {
  const { followers, silent } = view();
  followers.troublesChanged();
  expect(followers.troublesChanged()).toBe(false);
  silent.add(2);
  expect(followers.troublesChanged()).toBe(true);
  expect(followers.troublesChanged()).toBe(false);
});

test("troubles that ended before the first look of a leadership are reported as ended", () => {
  const { followers, match } = view();
  followers.troublesChanged();
  followers.becameLeader();
  // What PD is told at the election, when nobody has answered yet.
  match.set(2, 0);
  expect(followers.troubles().pending).toEqual([2]);
  match.set(2, 9);
  expect(followers.troublesChanged()).toBe(true);
});
