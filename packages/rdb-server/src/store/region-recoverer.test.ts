import { type Region, peerId, regionId, storeId } from "@flaredb/rdb-base";
import type { RegionLocalState } from "@flaredb/rdb-storage";
import { expect, it } from "vitest";
import type { PeerContext } from "../peer/peer-context.ts";
import { RegionMap } from "./region-map.ts";
import { RegionRecoverer } from "./region-recoverer.ts";
import { UnreadablePeer } from "./unreadable-peer.ts";

it("surveys a halted peer that waited for its first snapshot as an empty one: its range says nothing", () => {
  const context = { storeId: storeId(4) } as PeerContext;
  const peers = new RegionMap();
  const halted = (id: number, state: RegionLocalState["state"]): void => {
    const region: Region = {
      ...{ id: regionId(id), startKey: new Uint8Array(0), endKey: new Uint8Array(0) },
      epoch: { confVer: 2, version: 1 },
      peers: [{ id: peerId(id * 10), storeId: storeId(4), role: "Learner" }],
    };
    peers.addUnreadable(new UnreadablePeer(context, { state, region }));
  };
  halted(1, "Uninitialised");
  halted(2, "Normal");
  expect(new RegionRecoverer(context, peers).survey()).toMatchObject([
    { region: { id: 1 }, isHalted: true, isEmpty: true },
    { region: { id: 2 }, isHalted: true, isEmpty: false },
  ]);
});
