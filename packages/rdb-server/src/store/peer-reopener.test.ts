import { MINUTE_MS, RdbError, type Region, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { WritePart, putApplyState, putRegionLocalState } from "@flaredb/rdb-storage";
import { expect, it, onTestFinished, vi } from "vitest";
import type { PeerContext } from "../peer/peer-context.ts";
import { Peer } from "../peer/peer.ts";
import { SimClock, TraceLogger, bytes, testEngine } from "../testing/index.ts";
import { EMPTY_APPLY_STATE } from "./peer-lifecycle.ts";
import { PeerReopener } from "./peer-reopener.ts";
import { RegionMap } from "./region-map.ts";

function scene(state: "Applying" | "Normal") {
  const clock = new SimClock();
  const engine = testEngine(clock);
  const id = peerId(11);
  const region: Region = {
    ...{ id: regionId(1), startKey: bytes("a"), endKey: bytes("m"), epoch: { confVer: 1, version: 1 } },
    peers: [{ id, storeId: storeId(1), role: "Voter" }],
  };
  const part = new WritePart();
  putRegionLocalState(part, { state, region });
  putApplyState(part, region.id, EMPTY_APPLY_STATE);
  engine.submit(part);
  const makePeer = (): Peer =>
    ({ id, regionId: region.id, region, claims: [region], isInitialised: true }) as unknown as Peer;
  const peers = new RegionMap();
  const peer = makePeer();
  peers.add(peer);
  peers.halt(peer);
  const context: Partial<PeerContext> = {
    ...{ clock, engine, storeId: storeId(1), logger: new TraceLogger(clock) },
    ...{ wantsTurn: () => {}, regionChanged: () => {} },
  };
  const reopener = new PeerReopener(context as PeerContext, peers);
  reopener.halted(peer, new RdbError("RDB_STORAGE_FAILED", "a read failed"));
  const tick = async (): Promise<void> => {
    await clock.run(MINUTE_MS);
    reopener.tick(clock.monotonicMs());
  };
  return { clock, engine, region, peers, makePeer, tick };
}

it("looks once at a halted peer that only a start of the Store can open, and lets the others come", async () => {
  const { clock, engine, tick } = scene("Applying");
  const flush = vi.spyOn(engine, "flush");
  for (let count = 0; count < 5; count++) {
    await tick();
  }
  await clock.run(MINUTE_MS);
  expect(flush).toHaveBeenCalledTimes(1);
});

it("leaves a peer alone that runs again and is then stopped by somebody else, who has plans for it", async () => {
  const { clock, region, peers, makePeer, tick } = scene("Normal");
  const again = makePeer();
  const open = vi.spyOn(Peer, "open").mockResolvedValue(again);
  onTestFinished(() => open.mockRestore());
  await tick();
  await clock.run(MINUTE_MS);
  expect(peers.get(region.id)).toBe(again);
  // As `RegionRecoverer` does while it rewrites what the peer has on the disk.
  peers.halt(again);
  await tick();
  await clock.run(MINUTE_MS);
  expect(open).toHaveBeenCalledTimes(1);
  expect(peers.isHalted(again)).toBe(true);
});
