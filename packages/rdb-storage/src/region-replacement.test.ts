import { FULL_RANGE, type Region, SeededRandom, index, regionId, term } from "@flaredb/rdb-base";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Column } from "./column.ts";
import { EntryCache } from "./entry-cache.ts";
import { indexedKey } from "./key-codec.ts";
import { keyText } from "./key-text.ts";
import { MemoryEngine } from "./memory-engine.ts";
import { RaftLogStore } from "./raft-log-store.ts";
import { applySnapshot, destroyRegion, destroyUninitialised } from "./region-replacement.ts";
import {
  getApplyState,
  getRegionLocalState,
  listRegions,
  putApplyState,
  putRegionLocalState,
} from "./region-state-store.ts";
import type { SnapshotRow } from "./snapshot-chunk.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { WritePart } from "./write-part.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const confState = { voters: [], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
const region: Region = {
  id: regionId(4),
  startKey: bytes("b"),
  endKey: bytes("d"),
  epoch: { confVer: 3, version: 2 },
  peers: [],
};
const neighbour = regionId(5);
const oldRows = { a: "other", b1: "old", c: "old", c1: "old", d: "other" };
const newRows: SnapshotRow[] = ["b2", "c", "c2", "c3"].map((key) => ({
  column: "data",
  key: bytes(key),
  value: bytes("new"),
}));
newRows.push({ column: "session", key: indexedKey(region.id, index(9)), value: bytes("new") });

interface World {
  readonly clock: ManualClock;
  engine: MemoryEngine;
}

/** An engine with the Region's old content and a neighbour's, all durable. */
async function world(seed: number): Promise<World> {
  const clock = new ManualClock();
  const random = new SeededRandom(seed);
  const engine = new MemoryEngine({
    clock,
    random,
    writeDelayMs: () => random.nextInt(4),
    onFatal: (error) => {
      throw error;
    },
  });
  const part = new WritePart();
  for (const [key, value] of Object.entries(oldRows)) {
    part.put("data", bytes(key), bytes(value));
  }
  for (const id of [region.id, neighbour]) {
    part.put("session", indexedKey(id, index(1)), bytes("old"));
    putApplyState(part, id, { index: index(7), term: term(5), revision: 3, logTimeMs: 1 });
    putRegionLocalState(part, { state: "Normal", region: { ...region, id } });
    RaftLogStore.initialise(part, { regionId: id, index: index(5), term: term(5), confState });
    part.put("raft_log", indexedKey(id, index(6)), bytes("entry"));
  }
  engine.submit(part);
  await clock.runUntil(engine.flush());
  return { clock, engine };
}

async function* batches(): AsyncGenerator<readonly SnapshotRow[], void, undefined> {
  for (const row of newRows) {
    yield [row];
  }
}

/** Begins work that never ends if the machine crashes, and crashes it after some steps of the clock. */
async function crashDuring(
  { clock, engine }: World,
  work: Promise<unknown>,
  steps: number,
): Promise<MemoryEngine> {
  work.catch(() => {});
  for (let i = 0; i < steps; i++) {
    // Lets the work go on between two steps of the clock.
    await new Promise<void>((resolve) => setImmediate(resolve));
    clock.runNext();
  }
  return engine.crash();
}

async function rows({ clock, engine }: World, column: Column): Promise<string[]> {
  const cursor = engine.openCursor(column, FULL_RANGE);
  const page = await clock.runUntil(cursor.next(100, 1e6));
  cursor.close();
  return page.rows.map(({ key, value }) => `${keyText(key)}=${keyText(value)}`);
}

describe("a snapshot's application", () => {
  it("leaves the old content, or ends as if it had never been interrupted, wherever it crashes", async () => {
    let resumed = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(12), fc.nat(12), async (seed, firstSteps, secondSteps) => {
        const at = await world(seed);
        const begin = new WritePart();
        putRegionLocalState(begin, { state: "Applying", region });
        begin.sync = true;
        at.engine.submit(begin);
        at.engine = await crashDuring(
          at,
          applySnapshot({ engine: at.engine, region, batches: batches() }),
          firstSteps,
        );
        if (getRegionLocalState(at.engine, region.id)?.state === "Applying") {
          resumed++;
          const again = applySnapshot({ engine: at.engine, region, batches: batches() });
          at.engine = await crashDuring(at, again, secondSteps);
        }
        if (getRegionLocalState(at.engine, region.id)?.state === "Applying") {
          await at.clock.runUntil(applySnapshot({ engine: at.engine, region, batches: batches() }));
          at.engine = at.engine.crash();
          expect(getRegionLocalState(at.engine, region.id)?.state).toBe("Normal");
        }
        const data = await rows(at, "data");
        const isOld = data.includes("b1=old");
        expect(data).toEqual(
          isOld
            ? ["a=other", "b1=old", "c=old", "c1=old", "d=other"]
            : ["a=other", "b2=new", "c=new", "c2=new", "c3=new", "d=other"],
        );
        const session = (await rows(at, "session")).map((row) => row.slice(-3));
        // The Region's, then the neighbour's.
        expect(session).toEqual([isOld ? "old" : "new", "old"]);
      }),
      { numRuns: 200 },
    );
    expect(resumed).toBeGreaterThan(10);
  });

  it("stops between batches when told, and stays Applying", async () => {
    const at = await world(1);
    const begin = new WritePart();
    putRegionLocalState(begin, { state: "Applying", region });
    at.engine.submit(begin);
    let asked = 0;
    const isStopped = (): boolean => ++asked > 2;
    const applied = await at.clock.runUntil(
      applySnapshot({ engine: at.engine, region, batches: batches(), isStopped }),
    );
    expect(applied).toBe(false);
    expect(getRegionLocalState(at.engine, region.id)?.state).toBe("Applying");
  });
});

describe("a Region's destruction", () => {
  it("SPEC-C4: leaves a tombstone and nothing else, wherever it crashes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(16), async (seed, steps) => {
        const at = await world(seed);
        at.engine = await crashDuring(at, destroyRegion(at.engine, region), steps);
        const state = getRegionLocalState(at.engine, region.id)?.state;
        if (state === "Normal") {
          return;
        }
        if (state === "Destroying") {
          await at.clock.runUntil(destroyRegion(at.engine, region));
          at.engine = at.engine.crash();
        }
        expect(await at.clock.runUntil(listRegions(at.engine))).toMatchObject([
          { state: "Tombstone", region: { id: region.id, epoch: region.epoch } },
          { state: "Normal", region: { id: neighbour } },
        ]);
        expect(getApplyState(at.engine, region.id)).toBeUndefined();
        expect(RaftLogStore.exists(at.engine, region.id)).toBe(false);
        expect(await rows(at, "data")).toEqual(["a=other", "d=other"]);
        for (const column of ["session", "raft_log"] as const) {
          expect(await rows(at, column)).toHaveLength(1);
        }
        const options = { regionId: neighbour, cache: new EntryCache(0), applied: index(6) };
        await at.clock.runUntil(
          RaftLogStore.open(at.engine, { ...options, makeSnapshot: () => "temporarily-unavailable" }),
        );
      }),
      { numRuns: 200 },
    );
  });
});

it("SPEC-C4: an empty peer's removal is one step that touches no key, wherever it crashes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(4), async (seed, steps) => {
      const at = await world(seed);
      const empty = { ...region, id: regionId(77), startKey: new Uint8Array(0), endKey: new Uint8Array(0) };
      const made = new WritePart();
      putRegionLocalState(made, { state: "Uninitialised", region: empty });
      RaftLogStore.initialise(made, { regionId: empty.id, index: index(0), term: term(0), confState });
      await at.clock.runUntil(new Promise<void>((resolve) => at.engine.submit(made, resolve)));
      const before = await rows(at, "data");
      at.engine = await crashDuring(at, destroyUninitialised(at.engine, empty), steps);
      const isGone = getRegionLocalState(at.engine, empty.id)?.state === "Tombstone";
      expect(RaftLogStore.exists(at.engine, empty.id)).toBe(!isGone);
      expect(RaftLogStore.hardStateOf(at.engine, empty.id) === undefined).toBe(isGone);
      expect(await rows(at, "data")).toEqual(before);
    }),
  );
});
