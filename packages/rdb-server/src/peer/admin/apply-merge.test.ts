import { type Region, index, peerId, regionId, storeId, term } from "@flaredb/rdb-base";
import { regionToProto } from "@flaredb/rdb-proto";
import type { Entry } from "@flaredb/rdb-raft";
import {
  EntryCache,
  type MemoryEngine,
  type PreparedMerge,
  RaftLogStore,
  WritePart,
  getMergeRecord,
  getRegionLocalState,
} from "@flaredb/rdb-storage";
import { describe, expect, it } from "vitest";
import { SimClock, bytes, testEngine } from "../../testing/index.ts";
import { type CommandBody, logCommand } from "../commands.ts";
import { confStateOf } from "../conf-state.ts";
import { SessionTable } from "../session-table.ts";
import { AdminApplier, type AdminApplierOwner } from "./admin-applier.ts";
import type { AdminEffect } from "./admin-entry.ts";
import { carriedFromProto, carriedToProto, catchUp, entriesToCarry } from "./merge-entries.ts";
import { splitBody } from "./split-plan.ts";

const peers = [{ id: peerId(11), storeId: storeId(1), role: "Voter" as const }];
const epoch = { confVer: 2, version: 3 };
const target: Region = { id: regionId(1), startKey: bytes(""), endKey: bytes("m"), epoch, peers };
const source: Region = { id: regionId(2), startKey: bytes("m"), endKey: bytes(""), epoch, peers };
const state = { index: index(40), term: term(8), revision: 123, logTimeMs: 9_000 };

function makeEngine(): MemoryEngine {
  return testEngine(new SimClock());
}

/** One peer's applier, with what it was told. */
class Subject {
  readonly engine = makeEngine();
  readonly told: string[] = [];
  readonly part = new WritePart();
  readonly #applier: AdminApplier;

  constructor(region: Region, prepared?: PreparedMerge) {
    const owner: Partial<AdminApplierOwner> = {
      engine: this.engine,
      region: () => region,
      sessions: () => new SessionTable(),
      prepared: () => prepared,
      takeSource: () => {
        this.told.push("taken");
        throw new Error("the source is asked for");
      },
      mergeChanged: (after, now) =>
        this.told.push(`${now === undefined ? "serves" : "waits"} @${after.epoch.version}`),
      mergeRefused: (after, refused) => this.told.push(`refuses ${refused} @${after.epoch.version}`),
      regionSplit: () => this.told.push("split"),
    };
    this.#applier = new AdminApplier(owner as AdminApplierOwner);
  }

  apply(body: CommandBody, at: Region["epoch"]): AdminEffect {
    const command = logCommand(at, state.logTimeMs, body);
    const effect = this.#applier.apply({ command, confChange: undefined, state }, this.part);
    this.engine.submit(this.part);
    effect.submitted?.();
    return effect;
  }
}

const commit: CommandBody = {
  case: "commitMerge",
  value: {
    $typeName: "rdb.v1.CommitMergeCommand",
    source: regionToProto(source),
    commitIndex: 40n,
    sourceEntries: [],
    previousTerm: 8n,
  },
};
const prepare: CommandBody = {
  case: "prepareMerge",
  value: { $typeName: "rdb.v1.PrepareMergeCommand", target: regionToProto(target), minMatchedIndex: 37n },
};
const rollback = (prepareIndex: bigint): CommandBody => ({
  case: "rollbackMerge",
  value: { $typeName: "rdb.v1.RollbackMergeCommand", prepareIndex },
});
const refuse: CommandBody = {
  case: "refuseMerge",
  value: { $typeName: "rdb.v1.RefuseMergeCommand", sourceId: 2n },
};
const prepared: PreparedMerge = {
  kind: "Prepared",
  target,
  minMatchedIndex: index(37),
  prepareIndex: index(39),
};

describe("entries of merges", () => {
  it("a target of another epoch does not take the source, whichever half differs", () => {
    for (const other of [
      { confVer: 2, version: 2 },
      { confVer: 1, version: 3 },
      { confVer: 3, version: 3 },
    ]) {
      const subject = new Subject(target);
      expect(subject.apply(commit, other)).toEqual({ state });
      expect(subject.part.isEmpty).toBe(true);
      expect(subject.told).toEqual([]);
    }
    expect(() => new Subject(target).apply(commit, epoch)).toThrow("the source is asked for");
  });

  it("a target that is no neighbour any more does not take the source", () => {
    const subject = new Subject({ ...target, endKey: bytes("c") });
    expect(subject.apply(commit, epoch)).toEqual({ state });
    expect(subject.told).toEqual([]);
  });

  it("a target that decides against the source passes the epoch at which it would take it", () => {
    const subject = new Subject(target);
    subject.apply(refuse, epoch);
    expect(subject.told).toEqual(["refuses 2 @4"]);
    expect(getRegionLocalState(subject.engine, target.id)).toEqual({
      state: "Normal",
      region: { ...target, epoch: { ...epoch, version: 4 } },
    });
    // Whatever the target has become since, it is not what was to be decided.
    for (const other of [
      { confVer: 2, version: 2 },
      { confVer: 1, version: 3 },
    ]) {
      const later = new Subject(target);
      expect(later.apply(refuse, other)).toEqual({ state });
      expect(later.part.isEmpty).toBe(true);
    }
  });

  it("PrepareMerge marks the source beside its Region, under a new version", () => {
    const subject = new Subject(source);
    subject.apply(prepare, epoch);
    expect(subject.told).toEqual(["waits @4"]);
    expect(getMergeRecord(subject.engine, source.id)).toEqual({ ...prepared, prepareIndex: state.index });
  });

  it("nothing but its own rollback changes a source that waits", () => {
    const waiting = new Subject(source, prepared);
    const ids = [{ regionId: regionId(9), peerIds: [peerId(91)] }];
    expect(waiting.apply(splitBody([bytes("p")], ids), epoch)).toEqual({ state });
    expect(waiting.apply(prepare, epoch)).toEqual({ state });
    expect(waiting.apply(commit, epoch)).toEqual({ state });
    expect(waiting.apply(rollback(38n), epoch)).toEqual({ state });
    expect(waiting.told).toEqual([]);
    waiting.apply(rollback(39n), epoch);
    expect(waiting.told).toEqual(["serves @4"]);
    expect(getMergeRecord(waiting.engine, source.id)).toBeUndefined();
  });
});

/** A log that begins after entry 5, with the terms of the entries that follow. */
function logOf(terms: readonly number[]): RaftLogStore {
  const engine = makeEngine();
  const part = new WritePart();
  const initial = { regionId: source.id, index: index(5), term: term(5), confState: confStateOf(source) };
  RaftLogStore.initialise(part, initial);
  const options = {
    regionId: source.id,
    cache: new EntryCache(0),
    applied: index(5),
    makeSnapshot: () => "unavailable" as const,
  };
  const log = RaftLogStore.begin(engine, options, initial);
  log.append(
    part,
    terms.map((of, place) => entry(6 + place, of)),
  );
  engine.submit(part);
  return log;
}

function entry(at: number, of: number): Entry {
  return { index: index(at), term: term(of), type: "Normal", data: bytes(`${at}.${of}`) };
}

function placesOf(entries: readonly Entry[]): string[] {
  return entries.map((one) => `${one.index}.${one.term}`);
}

describe("entries that a merge carries", () => {
  const carried = entriesToCarry(logOf([6, 6, 7, 7]), index(7), index(9));
  if (typeof carried === "string") {
    throw new Error(carried);
  }

  it("come back from the entry that holds them", () => {
    const proto = { commitIndex: 9n, ...carriedToProto(carried) };
    expect(carriedFromProto(proto)).toEqual(carried);
    expect(() => carriedFromProto({ ...proto, commitIndex: 10n })).toThrow("carries entry");
  });

  it("are what a peer lacks behind its own log, as far as that is the same", () => {
    const lacking = (log: RaftLogStore, applied: number): unknown => {
      const found = catchUp(log, index(applied), carried);
      return typeof found === "string" ? found : [placesOf(found.own), placesOf(found.carried)];
    };
    expect(lacking(logOf([6, 6]), 5)).toEqual([
      ["6.6", "7.6"],
      ["8.7", "9.7"],
    ]);
    expect(lacking(logOf([6, 6, 7, 7]), 8)).toEqual([[], ["9.7"]]);
    expect(lacking(logOf([6, 6, 7, 7]), 9)).toEqual([[], []]);
    // What it has after that is not known to be committed: the carried ones count.
    expect(lacking(logOf([6, 6, 6]), 7)).toEqual([[], ["8.7", "9.7"]]);
    // Its log took another turn, or ends before.
    expect(lacking(logOf([6, 5]), 6)).toContain("lacks entry 7 of term 6");
    expect(lacking(logOf([6]), 5)).toContain("its log ends at 6");
  });

  it("are refused when the log was cut behind them", () => {
    expect(entriesToCarry(logOf([6]), index(4), index(6))).toContain("not all in the log");
    expect(entriesToCarry(logOf([6]), index(5), index(7))).toContain("not all in the log");
  });
});
