import { MINUTE_MS, RdbError, type Region, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { WritePart, putRegionLocalState } from "@flaredb/rdb-storage";
import { expect, it, vi } from "vitest";
import type { PeerContext } from "../peer/peer-context.ts";
import type { Peer } from "../peer/peer.ts";
import { SimClock, TraceLogger, bytes, testEngine } from "../testing/index.ts";
import { PeerReopener } from "./peer-reopener.ts";
import { RegionMap } from "./region-map.ts";

it("looks once at a halted peer that only a start of the Store can open, and lets the others come", async () => {
  const clock = new SimClock();
  const engine = testEngine(clock);
  const id = peerId(11);
  const region: Region = {
    ...{ id: regionId(1), startKey: bytes("a"), endKey: bytes("m"), epoch: { confVer: 1, version: 1 } },
    peers: [{ id, storeId: storeId(1), role: "Voter" }],
  };
  const part = new WritePart();
  putRegionLocalState(part, { state: "Applying", region });
  engine.submit(part);
  const peers = new RegionMap();
  const peer = { id, regionId: region.id, region, claims: [region], isInitialised: true } as unknown as Peer;
  peers.add(peer);
  peers.halt(peer);
  const context: Partial<PeerContext> = {
    clock,
    engine,
    storeId: storeId(1),
    logger: new TraceLogger(clock),
  };
  const reopener = new PeerReopener(context as PeerContext, peers);
  const flush = vi.spyOn(engine, "flush");

  reopener.halted(peer, new RdbError("RDB_STORAGE_FAILED", "a read failed"));
  for (let tick = 0; tick < 5; tick++) {
    await clock.run(MINUTE_MS);
    reopener.tick(clock.monotonicMs());
  }
  await clock.run(MINUTE_MS);
  expect(flush).toHaveBeenCalledTimes(1);
});
