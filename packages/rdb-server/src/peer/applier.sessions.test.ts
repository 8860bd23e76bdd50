import {
  KiB,
  MiB,
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
import { type ApplyState, MemoryEngine, decodeValue, getApplyState, indexedKey } from "@flaredb/rdb-storage";
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  type KvCommand,
  SimClock,
  batchPutCommand,
  bytes,
  deleteRangeCommand,
  kvCommand,
  putCommand,
  text,
  testEngine,
} from "../testing/index.ts";
import { Applier } from "./applier.ts";
import {
  type CommandBody,
  type FoldableCommand,
  deleteRangeBody,
  encodeLogCommand,
  foldedBody,
  logCommand,
} from "./commands.ts";
import { PARTS_MAX_COUNT } from "./entry-sessions.ts";
import { type Caller, PendingEntries } from "./proposal-queue.ts";
import { EntryIdentities } from "./request-identity.ts";
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
const LOG_TIME_MS = 1_000_000;
const SESSION = { $typeName: "rdb.v1.ClientSession", clientId: 77n, lowestOpenSequence: 1 } as const;

let clock: SimClock;
let engine: MemoryEngine;
let pending: PendingEntries;
let answers: KvResponse[];
let applier: Applier;

function makeApplier(state: ApplyState, sessions: SessionTable): Applier {
  return new Applier(
    {
      engine,
      region: () => region,
      epochNotMatch: (version) => epochNotMatch(region, version),
      pending,
      compactLog: () => {},
      isRemoved: () => false,
      isBeingTaken: () => false,
      applyAdmin: ({ state: at }) => ({ state: at }),
    },
    state,
    sessions,
  );
}

async function restart(): Promise<void> {
  const sessions = await clock.complete(SessionTable.load(engine, region.id), 1_000);
  applier = makeApplier(getApplyState(engine, region.id) ?? START, sessions);
}

beforeEach(() => {
  clock = new SimClock();
  engine = testEngine(clock);
  pending = new PendingEntries();
  answers = [];
  applier = makeApplier(START, new SessionTable());
});

const caller: Caller = { requestId: 1, deadlineMs: 0, respond: (answer) => answers.push(answer) };

/** An entry of writes with these sequences, for each of which somebody waits; 0: it has no identity. */
function entryOf(at: number, body: CommandBody, sequences: readonly number[]): Entry {
  const identities = new EntryIdentities(LOG_TIME_MS);
  for (const sequence of sequences) {
    identities.add(sequence === 0 ? undefined : { session: SESSION, sequence, issuedAtMs: LOG_TIME_MS });
  }
  const command = logCommand(region.epoch, LOG_TIME_MS, body, identities.entry());
  pending.add({ index: at, term: 6, command, callers: sequences.map(() => caller) });
  return { type: "Normal", index: index(at), term: term(6), data: encodeLogCommand(command) };
}

function entry(at: number, write: KvCommand, sequence: number): Entry {
  const body =
    write.case === "deleteRange" ? deleteRangeBody(write.value) : foldedBody([write as FoldableCommand]);
  return entryOf(at, body, [sequence]);
}

function row(key: string): string | undefined {
  const stored = engine.get("data", bytes(key));
  return stored && `${text(decodeValue(stored).value)}@${decodeValue(stored).version}`;
}

describe("Applier with sessions", () => {
  it("SPEC-R4: keeps the record with the rows that the write made: a crash leaves both or none", async () => {
    for (let seed = 0; seed < 20; seed++) {
      engine = new MemoryEngine({
        clock,
        random: new SeededRandom(seed),
        onFatal: () => {},
        writeDelayMs: () => 1,
      });
      applier = makeApplier(START, new SessionTable());
      for (let at = 6; at < 12; at++) {
        applier.apply([entry(at, putCommand(`k${at}`, "1"), at)]);
        await clock.run(seed % 3);
      }
      const found = engine.crash();
      const applied = getApplyState(found, region.id)?.index ?? START.index;
      for (let at = 6; at < 12; at++) {
        const hasRecord = found.get("session", indexedKey(region.id, index(at))) !== undefined;
        const hasRow = found.get("data", bytes(`k${at}`)) !== undefined;
        expect([hasRecord, hasRow], `seed ${seed}, ${at} of ${applied}`).toEqual([
          at <= applied,
          at <= applied,
        ]);
      }
    }
  });

  it.each([6, 7])(
    "SPEC-R4: a deleteRange whose record was lost with its place deletes again and answers the same (%i)",
    async (lostFrom) => {
      const put = entry(6, putCommand("a", "1"), 1);
      const deletion = entry(7, deleteRangeCommand("a", "b"), 2);
      const later = entry(8, putCommand("a", "2"), 3);
      const again = entry(9, deleteRangeCommand("a", "b"), 2);
      if (lostFrom > 6) {
        applier.apply([put]);
      }
      await clock.complete(engine.flush(), 1_000);
      // Only the deletion reached the disk, what goes with it did not.
      engine.deleteRange("data", { startKey: bytes("a"), endKey: bytes("b") });
      await restart();
      applier.apply(lostFrom > 6 ? [deletion] : [put, deletion]);
      expect(row("a")).toBeUndefined();
      await restart();
      applier.apply([later, again]);
      expect(row("a")).toBe("2@3");
      expect(answers.map(({ result }) => result)).toMatchObject([
        { case: "put" },
        { case: "deleteRange", value: { revision: 2n } },
        { case: "put" },
        { case: "deleteRange", value: { revision: 2n } },
      ]);
    },
  );

  it("takes so many different writes under one sequence, and no more", () => {
    const parts = Array.from({ length: PARTS_MAX_COUNT + 1 }, (_, part) =>
      entry(6 + part, batchPutCommand({ [`k${part}`]: "x" }), 1),
    );
    applier.apply(parts);
    expect(answers.at(-2)).toMatchObject({ result: { case: "batchPut" } });
    expect(answers.at(-1)).toMatchObject({ result: { value: { reason: { case: "invalidArgument" } } } });
    expect(row(`k${PARTS_MAX_COUNT - 1}`)).toBeDefined();
    expect(row(`k${PARTS_MAX_COUNT}`)).toBeUndefined();
  });

  it.each([
    { valueBytes: 60 * KiB, keptCount: 17 },
    { valueBytes: 16 * KiB - 100, keptCount: 70 },
    { valueBytes: 65 * KiB, keptCount: 0 },
    { valueBytes: 6 * MiB, keptCount: 0 },
  ])("keeps $keptCount answers with values of $valueBytes bytes in a row", ({ valueBytes, keptCount }) => {
    const swap = kvCommand({
      case: "compareAndSwap",
      value: { key: bytes("large"), value: bytes("new"), returnPrevious: true },
    }) as FoldableCommand;
    const large = putCommand("large", "x".repeat(valueBytes)) as FoldableCommand;
    const swapCount = keptCount >= 70 ? keptCount : keptCount + 2;
    const commands = Array.from({ length: swapCount }, () => [large, swap]).flat();
    const sequences = commands.map((_, place) => 1 + place);
    applier.apply([entryOf(6, foldedBody(commands), sequences)]);
    const first = answers.splice(0).filter(({ result }) => result.case !== "put");
    expect(first.map(({ result }) => result.case)).toEqual(Array(swapCount).fill("compareAndSwap"));
    applier.apply([entryOf(7, foldedBody(commands), sequences)]);
    const again = answers.filter(({ result }) => result.case !== "put");
    expect(again.slice(0, keptCount)).toEqual(first.slice(0, keptCount));
    const lost = { result: { value: { reason: { case: "staleCommand", value: { answerNotKept: true } } } } };
    expect(again.slice(keptCount)).toMatchObject(Array(swapCount - keptCount).fill(lost));
    expect(applier.sessions.sizeBytes).toBeLessThan(2 * MiB);
  });

  it("reads a row once for all the writes of an entry that come again", () => {
    const sequences = Array.from({ length: 500 }, (_, place) => 1 + place);
    const commands = sequences.map((sequence) => putCommand(`k${sequence}`, "1") as FoldableCommand);
    applier.apply([entryOf(6, foldedBody(commands), sequences)]);
    const first = answers.splice(0);
    const get = vi.spyOn(engine, "get");
    applier.apply([entryOf(7, foldedBody(commands), sequences)]);
    expect(answers).toEqual(first);
    expect(get.mock.calls.filter(([column]) => column === "session")).toHaveLength(1);
  });

  it("halts at a record that cannot be read, applies nothing, and answers unknown", async () => {
    applier.apply([entry(6, putCommand("a", "1"), 1)]);
    await clock.complete(engine.flush(), 1_000);
    engine.disk.damage("session", indexedKey(region.id, index(6)));
    for (const [at, write] of [
      [7, putCommand("a", "1")],
      [7, deleteRangeCommand("a", "b")],
    ] as const) {
      answers = [];
      expect(() => applier.apply([entry(at, write, 1)])).toThrowError(
        expect.objectContaining({ code: "RDB_DATA_CORRUPT" }),
      );
      expect(answers).toMatchObject([{ result: { value: { reason: { case: "staleCommand" } } } }]);
      expect(row("a")).toBe("1@1");
      expect(getApplyState(engine, region.id)).toMatchObject({ index: 6 });
    }
  });

  it("gives up on a table whose rows cannot be read", async () => {
    applier.apply([entry(6, putCommand("a", "1"), 1)]);
    await clock.complete(engine.flush(), 1_000);
    engine.disk.damage("session", indexedKey(region.id, index(6)));
    await expect(clock.complete(SessionTable.load(engine, region.id), 1_000)).rejects.toMatchObject({
      code: "RDB_DATA_CORRUPT",
    });
  });

  it("lets a write that has no identity share an entry with one that has", () => {
    const commands = [putCommand("a", "1"), putCommand("b", "1")] as FoldableCommand[];
    for (const at of [6, 7]) {
      applier.apply([entryOf(at, foldedBody(commands), [1, 0])]);
    }
    expect([row("a"), row("b")]).toEqual(["1@1", "1@3"]);
  });
});
