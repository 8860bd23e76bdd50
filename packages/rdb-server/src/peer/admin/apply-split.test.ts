import { type Region, type RegionId, index, peerId, regionId, storeId, term } from "@flaredb/rdb-base";
import type { LogCommand, SplitCommand } from "@flaredb/rdb-proto";
import type { HardState } from "@flaredb/rdb-raft";
import {
  type ApplyState,
  EntryCache,
  type MemoryEngine,
  RaftLogStore,
  type RegionPhase,
  SessionRowWriter,
  WritePart,
  encodeValue,
  getApplyState,
  getRegionLocalState,
  indexedKey,
  putRegionLocalState,
} from "@flaredb/rdb-storage";
import { beforeEach, describe, expect, it } from "vitest";
import { SimClock, bytes, testEngine } from "../../testing/index.ts";
import { confStateOf } from "../conf-state.ts";
import { logCommand } from "../commands.ts";
import { SessionTable } from "../session-table.ts";
import { AdminApplier, type AdminApplierOwner } from "./admin-applier.ts";
import type { AdminEffect } from "./admin-entry.ts";
import { type ChildStart, type SplitOutcome, type SplitOwner, applySplit } from "./apply-split.ts";
import { splitBody } from "./split-plan.ts";

const parent: Region = {
  id: regionId(1),
  startKey: bytes(""),
  endKey: bytes(""),
  epoch: { confVer: 2, version: 3 },
  peers: [
    { id: peerId(11), storeId: storeId(1), role: "Voter" },
    { id: peerId(12), storeId: storeId(2), role: "Voter" },
  ],
};
const PATIENCE_MS = 1_000;
const CHILD = regionId(50);
const state: ApplyState = { index: index(40), term: term(8), revision: 123, logTimeMs: 9_000 };

let clock: SimClock;
let engine: MemoryEngine;
let outcome: SplitOutcome | undefined;
let owner: SplitOwner;

beforeEach(async () => {
  clock = new SimClock();
  engine = testEngine(clock);
  const part = new WritePart();
  for (const key of ["a", "m", "z"]) {
    part.put("data", bytes(key), encodeValue(1, bytes("v")));
  }
  for (const at of [30, 35]) {
    part.put("session", indexedKey(parent.id, index(at)), sessionRow(at));
  }
  engine.submit(part);
  outcome = undefined;
  const sessions = await tableOf(parent.id);
  owner = {
    engine,
    storeId: storeId(1),
    region: () => parent,
    sessions: () => sessions,
    regionSplit: (made) => {
      outcome = made;
    },
  };
});

/** One client's write, recorded by the entry at `at`. */
function sessionRow(at: number): Uint8Array {
  const head = { logTimeMs: at * 100, baseRevision: at, clients: [{ clientId: at, floor: 1 }] };
  const writer = new SessionRowWriter(head, 1);
  const key = bytes(`k${at}`);
  const none = new Uint8Array(0);
  const record = { client: 0, sequence: 1, kind: 0, revision: at + 1, firstKey: key, lastKey: key };
  writer.add({ ...record, keyHashes: none, details: none });
  return writer.finish();
}

function splitAt(key: string, ids = [51, 52]): LogCommand {
  const body = splitBody([bytes(key)], [{ regionId: CHILD, peerIds: ids.map(peerId) }]);
  return logCommand(parent.epoch, 9_000, body);
}

function apply(command = splitAt("m")): { readonly part: WritePart; readonly effect: AdminEffect } {
  const part = new WritePart();
  const entry = { command, confChange: undefined, state };
  const effect = applySplit(owner, entry, command.command.value as SplitCommand, part);
  return { part, effect };
}

/** As the applier does. */
function applyAndSubmit(command?: LogCommand): void {
  const { part, effect } = apply(command);
  engine.submit(part);
  effect.submitted?.();
}

function leaveBehind(phase: RegionPhase, ownPeerId: number, hardState?: HardState): void {
  const peers = [{ id: peerId(ownPeerId), storeId: storeId(1), role: "Voter" as const }];
  const part = new WritePart();
  putRegionLocalState(part, { state: phase, region: { ...parent, id: CHILD, peers } });
  if (hardState !== undefined) {
    RaftLogStore.initialise(part, {
      ...{
        regionId: CHILD,
        index: index(0),
        term: term(0),
        confState: confStateOf({ ...parent, peers: [] }),
      },
      promised: hardState,
    });
  }
  engine.submit(part);
}

function tableOf(id: RegionId): Promise<SessionTable> {
  return clock.complete(SessionTable.load(engine, id), PATIENCE_MS);
}

function logOf(region: Region): Promise<RaftLogStore> {
  const opening = RaftLogStore.open(engine, {
    regionId: region.id,
    cache: new EntryCache(0),
    applied: state.index,
    makeSnapshot: () => "temporarily-unavailable",
  });
  return clock.complete(opening, PATIENCE_MS);
}

describe("applySplit", () => {
  it("SPEC-S2: makes both Regions in one part, and tells of them only when it is submitted", () => {
    const { part, effect } = apply();
    expect(getRegionLocalState(engine, CHILD)).toBeUndefined();
    expect(outcome).toBeUndefined();
    engine.submit(part);
    effect.submitted?.();
    expect(getRegionLocalState(engine, parent.id)?.region).toMatchObject({
      endKey: bytes("m"),
      epoch: { confVer: 2, version: 4 },
    });
    expect(getRegionLocalState(engine, CHILD)).toMatchObject({
      state: "Normal",
      region: { startKey: bytes("m"), endKey: bytes(""), epoch: { confVer: 2, version: 4 } },
    });
    expect(outcome?.children.map(({ region }) => region.id)).toEqual([CHILD]);
    expect(effect.state).toBe(state);
  });

  it("has the child go on from the parent's revision and log time, its log begin at the split", async () => {
    applyAndSubmit();
    const child = outcome?.children[0];
    expect(getApplyState(engine, CHILD)).toEqual({ ...state, term: 5 });
    expect(child?.applyState).toEqual({ ...state, term: 5 });
    const log = await logOf(child?.region as Region);
    expect(log.truncated).toEqual({ index: 40, term: 5 });
    expect(log.hardState).toEqual({ term: 5, vote: 0, commit: 40 });
    expect(log.confState.voters).toEqual([51, 52]);
    const begun = RaftLogStore.begin(
      engine,
      { regionId: CHILD, cache: new EntryCache(0), applied: state.index, makeSnapshot: () => "unavailable" },
      (child as ChildStart).raftState,
    );
    expect([begun.hardState, begun.confState, begun.truncated, begun.lastIndex()]).toEqual([
      log.hardState,
      log.confState,
      log.truncated,
      log.lastIndex(),
    ]);
  });

  it("SPEC-R4: has the child remember all that the parent does, in memory as on disk", async () => {
    applyAndSubmit();
    const sessions = outcome?.children[0]?.sessions;
    const stored = await tableOf(CHILD);
    for (const at of [30, 35]) {
      expect(engine.get("session", indexedKey(CHILD, index(at)))).toEqual(sessionRow(at));
      expect(sessions?.client(at)?.rowsOf(1)).toEqual([at]);
      expect(stored.client(at)?.rowsOf(1)).toEqual([at]);
    }
    expect([sessions?.count, sessions?.sizeBytes]).toEqual([stored.count, stored.sizeBytes]);
    // The parent's stay.
    expect((await tableOf(parent.id)).rowIndexes()).toEqual([30, 35]);
  });

  it.each(["", "not inside"])("changes nothing when the command does not fit", (key) => {
    const command = key === "" ? splitAt("") : splitAt("m", [51]);
    const { part, effect } = apply(command);
    expect(part.isEmpty).toBe(true);
    expect(effect).toEqual({ state });
  });

  it("keeps the term and the vote that an empty peer of the very id gave", async () => {
    leaveBehind("Uninitialised", 51, { term: term(9), vote: peerId(52), commit: index(0) });
    applyAndSubmit();
    const log = await logOf(outcome?.children[0]?.region as Region);
    expect(log.hardState).toEqual({ term: 9, vote: 52, commit: 40 });
    expect(outcome?.children[0]?.raftState.promised).toMatchObject({ term: 9, vote: 52 });
  });

  it("keeps a vote of the child's first term too, and forgets an earlier one", async () => {
    leaveBehind("Uninitialised", 51, { term: term(5), vote: peerId(51), commit: index(0) });
    applyAndSubmit();
    expect((await logOf(outcome?.children[0]?.region as Region)).hardState.vote).toBe(51);
  });

  it.each([
    ["a newer peer waits for its snapshot", "Uninitialised" as const, 77],
    ["a tombstone of the same peer lies here", "Tombstone" as const, 51],
    ["a tombstone of a newer peer lies here", "Tombstone" as const, 77],
    ["what was here is being destroyed", "Destroying" as const, 51],
  ])("makes no child and clears its range where %s", (_what, phase, ownPeerId) => {
    leaveBehind(phase, ownPeerId);
    applyAndSubmit();
    expect(outcome?.children).toEqual([]);
    expect(outcome?.absent.map(({ id }) => id)).toEqual([CHILD]);
    expect(getRegionLocalState(engine, CHILD)?.state).toBe(phase);
    expect(getApplyState(engine, CHILD)).toBeUndefined();
    const rows = ["a", "m", "z"].map((key) => engine.get("data", bytes(key)) !== undefined);
    expect(rows).toEqual([true, false, false]);
    expect(getRegionLocalState(engine, parent.id)?.region.endKey).toEqual(bytes("m"));
  });

  it.each([
    ["the range", { confVer: 2, version: 4 }],
    ["the peers", { confVer: 3, version: 3 }],
  ])("SPEC-S3: does nothing when %s changed since the split was proposed", (_what, epoch) => {
    const changed = { ...owner, region: () => ({ ...parent, epoch }), prepared: () => undefined };
    // What other commands ask for is not asked for here.
    const applier = new AdminApplier(changed as AdminApplierOwner);
    const part = new WritePart();
    const effect = applier.apply({ command: splitAt("m"), confChange: undefined, state }, part);
    expect(part.isEmpty).toBe(true);
    expect(effect).toEqual({ state });
  });
});
