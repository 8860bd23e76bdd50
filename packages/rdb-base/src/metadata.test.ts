import { expect, test } from "vitest";
import { peerId, regionId, storeId } from "./ids.ts";
import { type Region, epochIsStale, epochsEqual, peerById, peerOnStore } from "./metadata.ts";

const epoch = (confVer: number, version: number) => ({ confVer, version });
const region: Region = {
  id: regionId(1),
  startKey: new Uint8Array(),
  endKey: new Uint8Array(),
  epoch: epoch(1, 1),
  peers: [
    { id: peerId(11), storeId: storeId(1), role: "Voter" },
    { id: peerId(12), storeId: storeId(2), role: "Learner" },
  ],
};

test("an epoch is stale when either of its numbers is lower", () => {
  expect(epochIsStale(epoch(1, 1), epoch(1, 2))).toBe(true);
  expect(epochIsStale(epoch(1, 1), epoch(2, 1))).toBe(true);
  expect(epochIsStale(epoch(2, 1), epoch(1, 2))).toBe(true);
  expect(epochIsStale(epoch(1, 1), epoch(1, 1))).toBe(false);
  expect(epochIsStale(epoch(2, 2), epoch(1, 1))).toBe(false);
  expect(epochsEqual(epoch(1, 2), epoch(1, 2))).toBe(true);
  expect(epochsEqual(epoch(1, 2), epoch(2, 1))).toBe(false);
});

test("peers are found by Store and by id", () => {
  expect(peerOnStore(region, storeId(2))?.id).toBe(12);
  expect(peerOnStore(region, storeId(3))).toBeUndefined();
  expect(peerById(region, peerId(11))?.storeId).toBe(1);
  expect(peerById(region, peerId(13))).toBeUndefined();
});
