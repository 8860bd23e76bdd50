import { expect, test } from "vitest";
import { eventLine } from "./event-line.ts";

function line(name: string, data: object) {
  return eventLine({ id: "1", name, data: JSON.stringify(data) });
}

const region = {
  ...{ id: 7, term: 6, epoch: { confVer: 2, version: 3 }, leader: { id: 1, storeId: 2, role: "voter" } },
  ...{ peers: [{ storeId: 1 }, { storeId: 2 }], damagedPeerIds: [], downPeerIds: [], pendingPeerIds: [] },
};

test("operators say what they are for, and how they ended", () => {
  const operator = {
    kind: "move-peer",
    origin: "balance-region",
    regionId: 7,
    state: "running",
    endReason: "",
  };
  expect(line("operator", operator)).toEqual({
    kind: "operator",
    text: "move-peer of Region 7, by balance-region: began",
    tone: "accent",
    address: "#/regions/7",
  });
  expect(line("operator", { ...operator, state: "cancelled", endReason: "by-admin" })).toMatchObject({
    text: "move-peer of Region 7, by balance-region: cancelled (by-admin)",
    tone: "warn",
  });
});

test("Regions say who leads them, and what is wrong", () => {
  expect(line("region", region)).toMatchObject({
    text: "Region 7: led by Store 2 in term 6, peers on 1, 2, epoch 2·3",
    tone: "plain",
  });
  expect(line("region", { ...region, downPeerIds: [3] })).toMatchObject({
    text: expect.stringMatching(/, peer down$/),
    tone: "warn",
  });
  expect(line("region", { ...region, leader: null })).toMatchObject({ tone: "bad" });
  expect(line("region-gone", { id: 7 })).toMatchObject({ text: "Region 7 is no more", address: undefined });
});

test("Stores say in which state they are, the stream why it ends, and what is unknown is left out", () => {
  expect(line("store", { id: 2, state: "down" })).toMatchObject({ text: "Store 2 is down", tone: "bad" });
  expect(line("end", { detail: "too slow" })).toMatchObject({ kind: "end", text: "too slow" });
  expect(line("something-newer", {})).toBeUndefined();
});
