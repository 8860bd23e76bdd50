import { type Region, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { BootstrapCampaign } from "./bootstrap-campaign.ts";

function regionOn(...stores: number[]): Region {
  return {
    id: regionId(1),
    startKey: new Uint8Array(0),
    endKey: new Uint8Array(0),
    epoch: { confVer: 1, version: 1 },
    peers: stores.map((store) => ({ id: peerId(store * 10), storeId: storeId(store), role: "Voter" })),
  };
}

function attempts(campaign: BootstrapCampaign, ticks: number): number {
  return Array.from({ length: ticks }, () => campaign.shouldCampaign(false)).filter(Boolean).length;
}

describe("BootstrapCampaign", () => {
  it("has the first of the list campaign at its first tick, and again while the others are not made", () => {
    const campaign = new BootstrapCampaign({ region: regionOn(2, 1, 3), isNew: true }, storeId(2));
    expect([0, 1, 2, 3].map(() => campaign.shouldCampaign(false))).toEqual([true, false, true, false]);
  });

  it("ends when there is a leader, for good", () => {
    const campaign = new BootstrapCampaign({ region: regionOn(2, 1, 3), isNew: true }, storeId(2));
    expect(campaign.shouldCampaign(true)).toBe(false);
    expect(attempts(campaign, 100)).toBe(0);
  });

  it("ends when a leader was heard, though none is known any more", () => {
    const campaign = new BootstrapCampaign({ region: regionOn(2, 1, 3), isNew: true }, storeId(2));
    campaign.end();
    expect(attempts(campaign, 100)).toBe(0);
  });

  it("gives up after a number of attempts", () => {
    expect(
      attempts(new BootstrapCampaign({ region: regionOn(1, 2, 3), isNew: true }, storeId(1)), 1_000),
    ).toBe(20);
  });

  it("leaves others of the list, and restarted peers, to their election timeout", () => {
    expect(attempts(new BootstrapCampaign({ region: regionOn(2, 1, 3), isNew: true }, storeId(1)), 100)).toBe(
      0,
    );
    expect(
      attempts(new BootstrapCampaign({ region: regionOn(1, 2, 3), isNew: false }, storeId(1)), 100),
    ).toBe(0);
  });

  it("has a peer that is alone campaign at any start", () => {
    expect(attempts(new BootstrapCampaign({ region: regionOn(1), isNew: false }, storeId(1)), 100)).toBe(1);
  });
});
