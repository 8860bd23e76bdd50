import { SeededRandom, index } from "@flaredb/rdb-base";
import { decodeSessionRow } from "@flaredb/rdb-storage";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytes } from "../../testing/index.ts";
import { EntrySessions } from "../entry-sessions.ts";
import { SessionTable, type StoredSessionRow } from "../session-table.ts";
import { type SessionMemory, joinSessions } from "./join-sessions.ts";

const START_MS = 1_000_000;

interface Try {
  readonly clientId: number;
  readonly sequence: number;
  readonly floor: number;
  readonly key: string;
  readonly issuedAtMs: number;
}

/** What a Region remembers, entry by entry. Puts answer with the revision that they made. */
class Memory {
  table: SessionTable;
  readonly rows: Map<number, Uint8Array>;
  index: number;
  revision: number;
  logTimeMs: number;

  constructor(start: {
    rows: readonly StoredSessionRow[];
    index: number;
    revision: number;
    logTimeMs: number;
  }) {
    this.table = SessionTable.of(start.rows);
    this.rows = new Map(start.rows.map((row) => [row.index, row.value]));
    this.index = start.index;
    this.revision = start.revision;
    this.logTimeMs = start.logTimeMs;
  }

  stored(): SessionMemory {
    const rows = this.table.rowIndexes().map((at) => ({ index: at, value: this.rows.get(at) as Uint8Array }));
    return { rows, table: this.table };
  }

  /** @returns the answer, and whether the write was carried out for it */
  write(one: Try): { readonly answer: string; readonly isNew: boolean } {
    const at = index(++this.index);
    this.table.expire(this.logTimeMs, 64);
    const { clientId, sequence, floor, issuedAtMs } = one;
    const entry = new EntrySessions({
      table: this.table,
      sessions: [
        { $typeName: "rdb.v1.ClientSession", clientId: BigInt(clientId), lowestOpenSequence: floor },
      ],
      runs: [
        {
          $typeName: "rdb.v1.WriteRun",
          session: 0,
          firstSequence: sequence,
          count: 1,
          issuedOffsetMs: issuedAtMs - this.logTimeMs,
        },
      ],
      entryLogTimeMs: this.logTimeMs,
      logTimeMs: this.logTimeMs,
      readRow: (place) => decodeSessionRow(this.rows.get(place) as Uint8Array),
    });
    const verdict = entry.decide(0, {
      case: "put",
      value: { $typeName: "rdb.v1.PutRequest", key: bytes(one.key), value: bytes("x") },
    });
    if (verdict?.kind === "record") {
      const before = this.revision++;
      const version = BigInt(this.revision);
      entry.record(
        { case: "put", value: { $typeName: "rdb.v1.PutResponse", version } },
        { before, after: this.revision },
      );
    }
    const row = entry.finish(at);
    if (row !== undefined) {
      this.rows.set(at, row);
    }
    for (const removed of this.table.takeRemoved()) {
      this.rows.delete(removed);
    }
    const result = verdict?.kind === "answer" ? verdict.result : undefined;
    const answer =
      result === undefined
        ? `version ${this.revision}`
        : result.case === "put"
          ? `version ${result.value.version}`
          : `refused ${result.case === "error" ? result.value.reason.case : result.case}`;
    return { answer, isNew: verdict?.kind === "record" };
  }
}

function fresh(revision: number, logTimeMs: number): Memory {
  return new Memory({ rows: [], index: 6, revision, logTimeMs });
}

function joined(target: Memory, source: Memory): Memory {
  const at = target.index + 1;
  const logTimeMs = Math.max(target.logTimeMs, source.logTimeMs);
  const rows = joinSessions([target.stored(), source.stored()], { index: index(at), logTimeMs });
  return new Memory({ rows, index: at, revision: Math.max(target.revision, source.revision), logTimeMs });
}

/** A write that its client has not closed. */
interface OpenWrite {
  readonly clientId: number;
  readonly sequence: number;
  readonly region: number;
  readonly issuedAtMs: number;
  /** Undefined: it never came to the Region. */
  readonly answer: string | undefined;
}

describe("joined sessions", () => {
  it("SPEC-R4: answer each recorded write, take each undecided one, whichever Region it was for", () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 0, max: 120 }),
        fc.integer({ min: 0, max: 40_000 }),
        (seed, writeCount, skewMs) => {
          const random = new SeededRandom(seed);
          const regions = [fresh(100, START_MS), fresh(7, START_MS + skewMs)] as const;
          const next = [1, 1, 1];
          let open: OpenWrite[] = [];
          const floorAt = (clientId: number, region: number): number =>
            Math.min(
              next[clientId] as number,
              ...open
                .filter((one) => one.clientId === clientId && one.region === region)
                .map((one) => one.sequence),
            );
          const keyOf = (one: Pick<OpenWrite, "clientId" | "sequence">): string =>
            `${one.clientId}/${one.sequence}`;
          for (let count = 0; count < writeCount; count++) {
            const clientId = random.nextInt(3);
            const region = random.nextInt(2);
            const memory = regions[region] as Memory;
            memory.logTimeMs += random.nextInt(300);
            const floor = floorAt(clientId, region);
            const sequence = (next[clientId] as number)++;
            const one = { clientId: clientId + 1, sequence, issuedAtMs: memory.logTimeMs };
            const fate = random.nextInt(4);
            const answer =
              fate === 0
                ? undefined
                : memory.write({ ...one, floor, key: keyOf({ clientId, sequence }) }).answer;
            if (fate <= 1) {
              open.push({ ...one, clientId, region, answer });
            } else if (fate === 2) {
              // Some call ended just now, whichever it was.
              open = open.filter((_, place) => place !== random.nextInt(open.length));
            }
          }
          const whole = joined(regions[0], regions[1]);
          const { index: at, revision, logTimeMs } = whole;
          const again = new Memory({ rows: whole.stored().rows, index: at, revision, logTimeMs });
          const floors = [0, 1, 2].map((clientId) =>
            Math.min(
              next[clientId] as number,
              ...open.filter((one) => one.clientId === clientId).map((one) => one.sequence),
            ),
          );
          for (const memory of [whole, again]) {
            for (const one of open) {
              const retry: Try = {
                clientId: one.clientId + 1,
                sequence: one.sequence,
                floor: floors[one.clientId] as number,
                key: keyOf(one),
                issuedAtMs: one.issuedAtMs,
              };
              const isOld = one.issuedAtMs < memory.logTimeMs - 60_000;
              const { answer, isNew } = memory.write(retry);
              if (isOld) {
                expect(answer).toBe("refused requestExpired");
                continue;
              }
              expect(isNew).toBe(one.answer === undefined);
              if (one.answer !== undefined) {
                expect(answer).toBe(one.answer);
              }
              expect(memory.write(retry)).toEqual({ answer, isNew: false });
            }
          }
        },
      ),
    );
  });

  it("tell parts of one batch apart that were recorded under one sequence in both", () => {
    const [target, source] = [fresh(10, START_MS), fresh(90, START_MS)];
    const part = { clientId: 1, sequence: 4, floor: 4, issuedAtMs: START_MS };
    expect(target.write({ ...part, key: "a" }).answer).toBe("version 11");
    expect(source.write({ ...part, key: "m" }).answer).toBe("version 91");
    const whole = joined(target, source);
    expect(whole.write({ ...part, key: "m" })).toEqual({ answer: "version 91", isNew: false });
    expect(whole.write({ ...part, key: "a" })).toEqual({ answer: "version 11", isNew: false });
    expect(whole.write({ ...part, key: "c" })).toEqual({ answer: "version 92", isNew: true });
  });

  it("hold no record that its client closed, and no row without any", () => {
    const [target, source] = [fresh(0, START_MS), fresh(0, START_MS)];
    target.write({ clientId: 1, sequence: 1, floor: 1, issuedAtMs: START_MS, key: "a" });
    target.write({ clientId: 1, sequence: 2, floor: 2, issuedAtMs: START_MS, key: "b" });
    const { rows } = joined(target, source).stored();
    expect(rows.map(({ value }) => decodeSessionRow(value).records.map(({ sequence }) => sequence))).toEqual([
      [2],
    ]);
    expect(joined(fresh(0, START_MS), source).stored().rows).toEqual([]);
  });

  it("stand before the merge in the log, however many rows the source had", () => {
    const [target, source] = [fresh(0, START_MS), fresh(0, START_MS)];
    const longKey = "k".repeat(4_000);
    for (let sequence = 1; sequence <= 400; sequence++) {
      source.write({
        clientId: sequence % 5,
        sequence,
        floor: 1,
        issuedAtMs: START_MS,
        key: longKey + sequence,
      });
    }
    const whole = joined(target, source);
    const rowIndexes = whole.table.rowIndexes();
    expect(rowIndexes.length).toBeGreaterThan(1);
    expect(rowIndexes.at(-1)).toBe(whole.index);
    expect(rowIndexes[0]).toBeGreaterThan(0);
    expect(whole.table.count).toBe(405);
    for (const sequence of [1, 250, 400]) {
      const retry = {
        clientId: sequence % 5,
        sequence,
        floor: 1,
        issuedAtMs: START_MS,
        key: longKey + sequence,
      };
      expect(whole.write(retry)).toEqual({ answer: `version ${sequence}`, isNew: false });
    }
  });

  it("are held until what they could answer is refused by its age", () => {
    const [target, source] = [fresh(0, START_MS + 30_000), fresh(0, START_MS)];
    const one = { clientId: 1, sequence: 1, floor: 1, issuedAtMs: START_MS + 4_000, key: "a" };
    source.write(one);
    const whole = joined(target, source);
    whole.logTimeMs += 34_000;
    expect(whole.write(one).isNew).toBe(false);
    whole.logTimeMs += 70_000;
    expect(whole.write(one).answer).toBe("refused requestExpired");
    expect(whole.table.rowIndexes()).toEqual([]);
  });
});
