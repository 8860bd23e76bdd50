import { SeededRandom, index, peerId, regionId, storeId, term } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { readIdent, readIdentOf, writeIdent } from "./ident.ts";
import { MemoryEngine } from "./memory-engine.ts";
import type { RegionLocalState } from "./region-codec.ts";
import {
  deleteApplyState,
  getApplyState,
  getRegionLocalState,
  listRegions,
  putApplyState,
  putRegionLocalState,
} from "./region-state-store.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { WritePart } from "./write-part.ts";

function openEngine(): { clock: ManualClock; engine: MemoryEngine } {
  const clock = new ManualClock();
  const onFatal = (error: Error): never => {
    throw error;
  };
  return { clock, engine: new MemoryEngine({ clock, random: new SeededRandom(3), onFatal }) };
}

const local = (id: number, state: RegionLocalState["state"]): RegionLocalState => ({
  state,
  region: {
    id: regionId(id),
    startKey: Uint8Array.of(id & 0xff),
    endKey: new Uint8Array(0),
    epoch: { confVer: 1, version: id },
    peers: [{ id: peerId(id + 1), storeId: storeId(1), role: "Voter" }],
  },
});

describe("Region states", () => {
  it("are listed by Region, without apply states", async () => {
    const { clock, engine } = openEngine();
    const states = [local(2, "Normal"), local(300, "Tombstone"), local(70_000, "Applying")];
    const part = new WritePart();
    for (const state of states.toReversed()) {
      putRegionLocalState(part, state);
      putApplyState(part, state.region.id, { index: index(7), term: term(6), revision: 4, logTimeMs: 1 });
    }
    engine.submit(part);
    expect(part.sync).toBe(false);
    expect(await clock.runUntil(listRegions(engine))).toEqual(states);
    expect(getRegionLocalState(engine, regionId(300))).toEqual(states[1]);
    expect(getRegionLocalState(engine, regionId(3))).toBeUndefined();
  });

  it("keep how far a Region has applied, until it is gone", () => {
    const { engine } = openEngine();
    const id = regionId(9);
    expect(getApplyState(engine, id)).toBeUndefined();
    const state = { index: index(7), term: term(6), revision: 4, logTimeMs: 1_700_000_000_000 };
    const part = new WritePart();
    putApplyState(part, id, state);
    engine.submit(part);
    expect(getApplyState(engine, id)).toEqual(state);
    const removal = new WritePart();
    deleteApplyState(removal, id);
    engine.submit(removal);
    expect(getApplyState(engine, id)).toBeUndefined();
  });
});

describe("idents", () => {
  it("say whose folder it is", () => {
    const { engine } = openEngine();
    expect(readIdent(engine)).toBeUndefined();
    const part = new WritePart();
    writeIdent(part, { kind: "Store", clusterId: 12345, storeId: storeId(3) });
    expect(part.sync).toBe(true);
    engine.submit(part);
    expect(readIdentOf(engine, "Store")).toEqual({ kind: "Store", clusterId: 12345, storeId: 3 });
    expect(() => readIdentOf(engine, "PD")).toThrow(expect.objectContaining({ code: "RDB_DATA_FOREIGN" }));
  });

  it("may be a PD member's", () => {
    const { engine } = openEngine();
    const part = new WritePart();
    writeIdent(part, { kind: "PD", clusterId: 12345, memberId: peerId(1) });
    engine.submit(part);
    expect(readIdent(engine)).toEqual({ kind: "PD", clusterId: 12345, memberId: 1 });
  });
});
