import {
  RdbError,
  type Region,
  SeededRandom,
  index,
  peerId,
  regionId,
  storeId,
  term,
} from "@flaredb/rdb-base";
import type { KvResponse } from "@flaredb/rdb-proto";
import type { Entry } from "@flaredb/rdb-raft";
import {
  type ApplyState,
  MemoryEngine,
  type WritePart,
  decodeValue,
  getApplyState,
} from "@flaredb/rdb-storage";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type KvCommand,
  SimClock,
  bytes,
  casCommand,
  deleteCommand,
  putCommand,
  text,
  testEngine,
} from "../testing/index.ts";
import type { AdminEffect, AdminEntry } from "./admin/admin-entry.ts";
import { Applier } from "./applier.ts";
import {
  type CommandBody,
  type FoldableCommand,
  compactLogBody,
  deleteRangeBody,
  encodeLogCommand,
  foldableCommand,
  foldedBody,
  logCommand,
} from "./commands.ts";
import { type Caller, PendingEntries } from "./proposal-queue.ts";
import { epochNotMatch } from "./responses.ts";
import { SessionTable } from "./session-table.ts";

const region: Region = {
  id: regionId(1),
  startKey: bytes(""),
  endKey: bytes(""),
  epoch: { confVer: 1, version: 3 },
  peers: [{ id: peerId(1), storeId: storeId(1), role: "Voter" }],
};
const START: ApplyState = { index: index(5), term: term(5), revision: 0, logTimeMs: 0 };
const NO_DATA = new Uint8Array(0);

let clock: SimClock;
let engine: MemoryEngine;
let pending: PendingEntries;
let compacted: number[];
let applier: Applier;
let answers: KvResponse[];

/** Whether the Region waits to be taken by a neighbour. */
let isBeingTaken = false;
/** The entry that takes this peer out of its Region. */
let removedAt = 0;
let applyAdmin: (admin: AdminEntry, part: WritePart) => AdminEffect;

function newApplier(state = START): Applier {
  return new Applier(
    {
      engine,
      region: () => region,
      epochNotMatch: (version) => epochNotMatch(region, version),
      pending,
      isRemoved: () => removedAt !== 0 && applier.state.index >= removedAt,
      isBeingTaken: () => isBeingTaken,
      applyAdmin: (admin, part) => applyAdmin(admin, part),
      compactLog: (_part, position) => compacted.push(position),
    },
    state,
    new SessionTable(),
  );
}

beforeEach(() => {
  isBeingTaken = false;
  removedAt = 0;
  applyAdmin = ({ state }) => ({ state });
  clock = new SimClock();
  engine = testEngine(clock);
  pending = new PendingEntries();
  compacted = [];
  answers = [];
  applier = newApplier();
});

function body(...commands: KvCommand[]): CommandBody {
  return foldedBody(commands.map((command) => foldableCommand(command) as FoldableCommand));
}

function entry(
  at: number,
  what: CommandBody | undefined,
  options: { term?: number; version?: number } = {},
): Entry {
  const epoch = { confVer: 1, version: options.version ?? region.epoch.version };
  const data = what === undefined ? NO_DATA : encodeLogCommand(logCommand(epoch, at * 10, what));
  return { type: "Normal", index: index(at), term: term(options.term ?? 6), data };
}

function caller(requestId: number): Caller {
  return { requestId, deadlineMs: 1_000, respond: (answer) => answers.push(answer) };
}

/** Notes that somebody waits for the entry. */
function expectEntry({ index: at, term: of }: Entry, what: CommandBody, ...callers: Caller[]): void {
  pending.add({ index: at, term: of, command: logCommand(region.epoch, at * 10, what), callers });
}

function row(key: string, from = engine): string | undefined {
  const stored = from.get("data", bytes(key));
  return stored && `${text(decodeValue(stored).value)}@${decodeValue(stored).version}`;
}

describe("Applier", () => {
  it("SPEC-C4: applies nothing behind the entry that took the peer out of its Region", () => {
    removedAt = 7;
    applier.apply([6, 7, 8, 9].map((at) => entry(at, body(putCommand(`k${at}`, "1")))));
    expect([row("k6"), row("k7"), row("k8")]).toEqual(["1@1", "1@2", undefined]);
    expect(applier.state.index).toBe(7);
  });

  it("SPEC-R4: applies in order, and keeps its place with the rows", () => {
    applier.apply([
      entry(6, undefined),
      entry(7, body(putCommand("a", "1"))),
      entry(8, body(putCommand("a", "2"))),
    ]);
    expect(row("a")).toBe("2@2");
    expect(getApplyState(engine, region.id)).toEqual({ index: 8, term: 6, revision: 2, logTimeMs: 80 });
    expect(applier.state).toEqual(getApplyState(engine, region.id));
  });

  it("takes no log time from entries behind the one that made it wait to be taken: peers stop at different ones", () => {
    applier.apply([entry(6, body(putCommand("a", "1")))]);
    isBeingTaken = true;
    applier.apply([entry(7, body(putCommand("a", "2")), { version: 0 })]);
    expect(applier.state).toEqual({ index: 7, term: 6, revision: 1, logTimeMs: 60 });
    isBeingTaken = false;
    applier.apply([entry(8, body(putCommand("a", "3")))]);
    expect(applier.state).toEqual({ index: 8, term: 6, revision: 2, logTimeMs: 80 });
  });

  it("SPEC-R4: has the rows and its place in one part, so that a crash keeps both or neither", async () => {
    for (let seed = 0; seed < 30; seed++) {
      engine = new MemoryEngine({
        clock,
        random: new SeededRandom(seed),
        onFatal: () => {},
        writeDelayMs: () => 1,
      });
      applier = newApplier();
      for (let at = 6; at < 12; at++) {
        applier.apply([entry(at, body(putCommand("count", `${at}`)))]);
        await clock.run(seed % 3);
      }
      const found = engine.crash();
      const state = getApplyState(found, region.id);
      expect(row("count", found)).toBe(state && `${state.index}@${state.index - 5}`);
    }
  });

  it("SPEC-R4: applied again from its durable place gives the same rows and versions", () => {
    const entries = [
      entry(6, body(casCommand("a", undefined, "1"), deleteCommand("b"))),
      entry(7, body(casCommand("a", "1", "2"), putCommand("b", "x"))),
      entry(
        8,
        deleteRangeBody({ $typeName: "rdb.v1.DeleteRangeRequest", startKey: bytes("b"), endKey: bytes("c") }),
      ),
      entry(9, body(putCommand("c", "y"))),
    ];
    applier.apply(entries);
    const whole = ["a", "b", "c"].map((key) => row(key));
    for (let lost = 0; lost < entries.length; lost++) {
      engine = new MemoryEngine({ clock, random: new SeededRandom(lost), onFatal: () => {} });
      applier = newApplier();
      applier.apply(entries.slice(0, lost));
      // A new run of the process: what it knows is what the engine has.
      applier = newApplier(getApplyState(engine, region.id) ?? START);
      applier.apply(entries.slice(lost));
      expect(["a", "b", "c"].map((key) => row(key))).toEqual(whole);
    }
  });

  it("replays a deleteRange whole when only its deletion was kept, and its place was not", async () => {
    applier.apply([entry(6, body(putCommand("a", "1"), putCommand("z", "1")))]);
    await clock.complete(engine.flush(), 1_000);
    const before = getApplyState(engine, region.id);
    const range = deleteRangeBody({
      $typeName: "rdb.v1.DeleteRangeRequest",
      startKey: bytes("a"),
      endKey: bytes("b"),
    });
    applier.apply([entry(7, range)]);
    expect(row("a")).toBeUndefined();
    applier = newApplier(before);
    applier.apply([entry(7, range), entry(8, body(putCommand("a", "2")))]);
    expect([row("a"), row("z")]).toEqual(["2@4", "1@2"]);
  });

  it("deletes only what came before a deleteRange in the same batch of entries", () => {
    const range = deleteRangeBody({
      $typeName: "rdb.v1.DeleteRangeRequest",
      startKey: bytes("a"),
      endKey: bytes("b"),
    });
    applier.apply([
      entry(6, body(putCommand("a1", "old"))),
      entry(7, range),
      entry(8, body(putCommand("a2", "new"))),
    ]);
    expect([row("a1"), row("a2")]).toEqual([undefined, "new@3"]);
  });

  it("answers whoever waits, each with the result of its own write", () => {
    const what = body(putCommand("a", "1"), casCommand("a", "0", "x"), casCommand("a", "1", "2"));
    const one = entry(6, what);
    expectEntry(one, what, caller(1), caller(2), caller(3));
    applier.apply([one]);
    expect(answers).toMatchObject([
      { requestId: 1, result: { case: "put", value: { version: 1n } } },
      { requestId: 2, result: { case: "compareAndSwap", value: { succeeded: false } } },
      { requestId: 3, result: { case: "compareAndSwap", value: { succeeded: true, version: 2n } } },
    ]);
    expect(pending.callerCount).toBe(0);
  });

  it("answers only when the part is submitted: what was answered is seen by the next read", () => {
    const what = body(putCommand("a", "1"));
    const one = entry(6, what);
    let seen: string | undefined;
    expectEntry(one, what, { ...caller(1), respond: () => (seen = row("a")) });
    applier.apply([one, entry(7, body(putCommand("b", "1")))]);
    expect(seen).toBe("1@1");
  });

  it("lets an entry read what the entries before it in the same batch wrote", () => {
    applier.apply([entry(6, body(putCommand("a", "1"))), entry(7, body(casCommand("a", "1", "2")))]);
    expect(row("a")).toBe("2@2");
  });

  it("applies nothing of an entry made for another version of the Region, and says so", () => {
    const what = body(putCommand("a", "1"));
    const stale = entry(6, what, { version: 2 });
    pending.add({
      index: 6,
      term: 6,
      command: logCommand({ confVer: 1, version: 2 }, 60, what),
      callers: [caller(1)],
    });
    applier.apply([stale]);
    expect(row("a")).toBeUndefined();
    expect(answers).toMatchObject([
      { requestId: 1, result: { value: { reason: { case: "epochNotMatch" } } } },
    ]);
    expect(applier.state).toMatchObject({ index: 6, revision: 0 });
  });

  it("tells whoever waits for an entry that another one took its place: it was not applied", () => {
    const what = body(putCommand("a", "mine"));
    expectEntry(entry(6, what, { term: 6 }), what, caller(1));
    applier.apply([entry(6, body(putCommand("a", "theirs")), { term: 7 })]);
    expect(row("a")).toBe("theirs@1");
    expect(answers).toMatchObject([{ requestId: 1, result: { value: { reason: { case: "notLeader" } } } }]);
  });

  it("halts at a command that it does not know, after it applied what came before", () => {
    // A field that no version of the program has: tag 99, varint 1.
    const unknown: Entry = { ...entry(7, undefined), data: Uint8Array.of(0x98, 0x06, 0x01) };
    const apply = (): void =>
      applier.apply([entry(6, body(putCommand("a", "1"))), unknown, entry(8, body(putCommand("a", "2")))]);
    expect(apply).toThrowError(expect.objectContaining({ code: "RDB_DATA_CORRUPT" }));
    expect(row("a")).toBe("1@1");
    expect(getApplyState(engine, region.id)).toMatchObject({ index: 6, revision: 1 });
  });

  it("halts at bytes that are no command", () => {
    const broken: Entry = { ...entry(6, undefined), data: Uint8Array.of(0xff, 0xff) };
    expect(() => applier.apply([broken])).toThrowError(RdbError);
    expect(applier.state).toEqual(START);
  });

  it("leaves nothing of an entry whose read met damage, and answers its callers as unknown", () => {
    applier.apply([entry(6, body(putCommand("damaged", "1")))]);
    return clock.complete(engine.flush(), 1_000).then(() => {
      engine.disk.damage("data", bytes("damaged"));
      const what = body(putCommand("a", "half"), casCommand("damaged", "1", "2"));
      const one = entry(7, what);
      expectEntry(one, what, caller(1), caller(2));
      expect(() => applier.apply([one])).toThrowError(expect.objectContaining({ code: "RDB_DATA_CORRUPT" }));
      expect(row("a")).toBeUndefined();
      expect(getApplyState(engine, region.id)).toMatchObject({ index: 6, revision: 1 });
      expect(answers.map((answer) => answer.requestId)).toEqual([1, 2]);
      expect(answers).toMatchObject([{ result: { value: { reason: { case: "staleCommand" } } } }, {}]);
    });
  });

  it("has the log cut no further than the entry that says so", () => {
    applier.apply([entry(6, compactLogBody(3, 5)), entry(7, compactLogBody(99, 5))]);
    expect(compacted).toEqual([3, 7]);
    expect(applier.state.index).toBe(7);
  });

  it("lets log time only rise", () => {
    const late = {
      ...entry(7, undefined),
      data: encodeLogCommand(logCommand(region.epoch, 5, body(putCommand("a", "1")))),
    };
    applier.apply([entry(6, body(putCommand("a", "0"))), late]);
    expect(applier.state.logTimeMs).toBe(60);
  });

  it("says so while an entry that changes the Region is half applied: its place is ahead of the Region", () => {
    const seen: unknown[] = [];
    const look = (): void => void seen.push([applier.state.index, applier.isApplyingAdmin]);
    applyAdmin = ({ state }) => {
      look();
      return { state, submitted: look };
    };
    applier.apply([entry(6, { case: "computeHash", value: { $typeName: "rdb.v1.ComputeHashCommand" } })]);
    look();
    applyAdmin = () => {
      throw new Error("it cannot be applied");
    };
    const change = entry(7, { case: "computeHash", value: { $typeName: "rdb.v1.ComputeHashCommand" } });
    expect(() => applier.apply([change])).toThrow("it cannot be applied");
    look();
    expect(seen).toEqual([
      [6, true],
      [6, true],
      [6, false],
      [6, false],
    ]);
  });

  it("SPEC-R4: keeps nothing of an entry that cannot be applied, and not that it was", () => {
    applyAdmin = ({ state }, part) => {
      part.put("data", bytes("half"), bytes("made"));
      throw new Error(`entry ${state.index} cannot be applied`);
    };
    const change = entry(6, { case: "computeHash", value: { $typeName: "rdb.v1.ComputeHashCommand" } });
    expect(() => applier.apply([change])).toThrow("entry 6 cannot be applied");
    expect(applier.state.index).toBe(5);
    expect(getApplyState(engine, region.id)?.index).toBe(5);
    expect(engine.get("data", bytes("half"))).toBeUndefined();
    // The same peer, started again.
    applyAdmin = ({ state }) => ({ state });
    applier.apply([change]);
    expect(getApplyState(engine, region.id)?.index).toBe(6);
  });

  it("SPEC-R4: refuses an entry that it has applied, and one that comes too early", () => {
    const first = entry(6, body(putCommand("a", "1")));
    applier.apply([first]);
    const rule = "entries are applied in log order, each exactly once";
    expect(() => applier.apply([first])).toThrow(rule);
    expect(() => applier.apply([entry(8, body(putCommand("a", "2")))])).toThrow(rule);
    expect(applier.state).toMatchObject({ index: 6, revision: 1 });
    expect(row("a")).toBe("1@1");
  });

  it("takes up a snapshot's place", () => {
    applier.reset({ index: index(50), term: term(9), revision: 40, logTimeMs: 7 }, new SessionTable());
    applier.apply([entry(51, body(putCommand("a", "1")))]);
    expect(row("a")).toBe("1@41");
  });
});
