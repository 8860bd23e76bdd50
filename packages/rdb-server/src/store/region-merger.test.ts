import { type KeyRange, RdbError, type Region, peerId, regionId, storeId } from "@flaredb/rdb-base";
import type { CommitMergeCommand } from "@flaredb/rdb-proto";
import { type MemoryEngine, WritePart } from "@flaredb/rdb-storage";
import { beforeEach, describe, expect, it } from "vitest";
import type { Peer } from "../peer/peer.ts";
import { SimClock, TraceLogger, bytes, testEngine } from "../testing/index.ts";
import { RegionMap } from "./region-map.ts";
import { RegionMerger } from "./region-merger.ts";

const STORE = storeId(1);
const COMMIT: CommitMergeCommand = {
  $typeName: "rdb.v1.CommitMergeCommand",
  source: {
    $typeName: "rdb.v1.Region",
    id: 2n,
    startKey: bytes("a"),
    endKey: bytes("m"),
    epoch: undefined,
    peers: [],
  },
  commitIndex: 40n,
  sourceEntries: [],
  previousTerm: 8n,
};

let clock: SimClock;
let engine: MemoryEngine;
let peers: RegionMap;
let merger: RegionMerger;
/** Regions whose peers were halted. */
let halted: number[];

function regionWith(id: number, start: string, end: string, version: number): Region {
  const voter = { id: peerId(id * 10), storeId: STORE, role: "Voter" as const };
  return {
    ...{ id: regionId(id), startKey: bytes(start), endKey: bytes(end) },
    ...{ epoch: { confVer: 1, version }, peers: [voter] },
  };
}

/** As much of a peer as merges look at. */
function addPeer(region: Region, others: object = {}): Peer {
  const peer = {
    ...{ id: region.peers[0]?.id, regionId: region.id, region, claims: [region] },
    ...{ isInitialised: true, stop: () => {}, installer: { dropInstalling: () => {} }, ...others },
  } as unknown as Peer;
  peers.add(peer);
  return peer;
}

function put(...keys: string[]): void {
  const part = new WritePart();
  keys.forEach((key) => part.put("data", bytes(key), bytes("row")));
  engine.submit(part);
}

/** Ends the Regions that a snapshot shows as taken, and tells which of the keys still have rows. */
async function end(later: Region, taken: Region, keys: readonly string[]): Promise<readonly string[]> {
  const part = new WritePart();
  const destroy = merger.endMerged(part, later, [taken.id]);
  engine.submit(part);
  destroy();
  await clock.run(100);
  return keys.filter((key) => engine.get("data", bytes(key)) !== undefined);
}

beforeEach(() => {
  clock = new SimClock();
  engine = testEngine(clock);
  peers = new RegionMap();
  halted = [];
  merger = new RegionMerger({
    ...{ storeId: STORE, engine, peers, logger: new TraceLogger(clock) },
    transport: { send: () => true },
    regionChanged: () => {},
    halt: (region) => halted.push(region),
  });
});

describe("a source that ends with a snapshot of its target", () => {
  const keys = ["b", "g"];

  it("SPEC-R3: leaves the rows of a newer Region that has some of its keys", async () => {
    // Halted at a start: it was out of date.
    const source = regionWith(2, "a", "m", 3);
    peers.halt(addPeer(source));
    addPeer(regionWith(3, "f", "m", 9));
    put(...keys);
    expect(await end(regionWith(1, "m", "z", 9), source, keys)).toEqual(["g"]);
  });

  it("SPEC-R3: leaves them too of the range that it had before a snapshot of its own", async () => {
    const source = regionWith(2, "a", "m", 3);
    const arriving: KeyRange = { startKey: bytes("a"), endKey: bytes("c") };
    peers.halt(addPeer(source, { claims: [source, { ...source, ...arriving }] }));
    addPeer(regionWith(3, "f", "m", 9));
    put("b", "d", "g");
    expect(await end(regionWith(1, "m", "z", 9), source, ["b", "d", "g"])).toEqual(["g"]);
  });

  it("leaves no files of the snapshot that it was installing: nobody goes on with it", async () => {
    const source = regionWith(2, "a", "m", 3);
    let dropCount = 0;
    const dropInstalling = (): void => void dropCount++;
    addPeer(source, { claims: [source, source], installer: { dropInstalling } });
    await end(regionWith(1, "m", "z", 9), source, keys);
    expect(dropCount).toBe(1);
  });
});

describe("a source that cannot be brought to its merge now", () => {
  const surrender = (): never => {
    throw new RdbError("RDB_UNAVAILABLE", "a Region that it has to take is not here");
  };

  it("runs on when it is as it was", () => {
    addPeer(regionWith(2, "a", "m", 3), { merge: { surrender, isAheadOfCore: false } });
    expect(() => merger.takeSource(COMMIT)).toThrow("not here");
    expect(halted).toEqual([]);
  });

  it("SPEC-R4: halts when it has applied what its core would let it apply again", () => {
    addPeer(regionWith(2, "a", "m", 3), { merge: { surrender, isAheadOfCore: true } });
    expect(() => merger.takeSource(COMMIT)).toThrow("not here");
    expect(halted).toEqual([2]);
  });
});
