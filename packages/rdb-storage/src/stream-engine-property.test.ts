import { type KeyRange, SeededRandom, compareKeys, keyInRange } from "@flaredb/rdb-base";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Column } from "./column.ts";
import type { Cursor, Row } from "./engine.ts";
import { MemoryEngine } from "./memory-engine.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { WritePart } from "./write-part.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** An engine whose writer is as far behind as chance will have it. */
function slowEngine(seed: number, passMaxBytes: number): { clock: ManualClock; engine: MemoryEngine } {
  const clock = new ManualClock();
  const random = new SeededRandom(seed);
  const onFatal = (error: Error): never => {
    throw error;
  };
  const writeDelayMs = (): number => random.nextInt(4);
  return { clock, engine: new MemoryEngine({ clock, random, onFatal, writeDelayMs, passMaxBytes }) };
}

// The property: whatever the writer has or has not done, reads show exactly what was submitted.

const keys = ["", "a", "ab", "b", "c", "c\u0000", "d", "e"];
const someKey = fc.constantFrom(...keys.slice(1));
const range: fc.Arbitrary<KeyRange> = fc
  .tuple(fc.constantFrom(...keys), fc.constantFrom(...keys))
  .map(([startKey, endKey]) => ({ startKey: bytes(startKey), endKey: bytes(endKey) }))
  .filter(({ startKey, endKey }) => endKey.length === 0 || compareKeys(startKey, endKey) < 0);
const column = fc.constantFrom<Column>("data", "session");

type Command =
  | {
      readonly kind: "submit";
      readonly ops: [column: Column, key: string, value: number | undefined][];
      readonly sync: boolean;
    }
  | { readonly kind: "deleteRange"; readonly column: Column; readonly range: KeyRange }
  | { readonly kind: "open"; readonly column: Column; readonly range: KeyRange; readonly reverse: boolean }
  | { readonly kind: "read"; readonly count: number; readonly bytes: number }
  | { readonly kind: "run"; readonly steps: number };

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    kind: fc.constant("submit" as const),
    ops: fc.array(fc.tuple(column, someKey, fc.option(fc.nat(99), { nil: undefined })), { maxLength: 4 }),
    sync: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("deleteRange" as const), column, range }),
  fc.record({ kind: fc.constant("open" as const), column, range, reverse: fc.boolean() }),
  fc.record({
    kind: fc.constant("read" as const),
    count: fc.integer({ min: 1, max: 4 }),
    bytes: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({ kind: fc.constant("run" as const), steps: fc.integer({ min: 1, max: 4 }) }),
);

/** The same, without a stream: every mutation takes effect at once. */
class Model {
  readonly #rows = new Map<
    string,
    { readonly column: Column; readonly key: Uint8Array; readonly value: Uint8Array }
  >();

  set(column: Column, key: string, value: number | undefined): void {
    if (value === undefined) {
      this.#rows.delete(`${column} ${key}`);
    } else {
      this.#rows.set(`${column} ${key}`, { column, key: bytes(key), value: bytes(String(value)) });
    }
  }

  get(column: Column, key: string): Uint8Array | undefined {
    return this.#rows.get(`${column} ${key}`)?.value;
  }

  deleteRange(column: Column, range: KeyRange): void {
    for (const [name, row] of this.#rows) {
      if (row.column === column && keyInRange(row.key, range)) {
        this.#rows.delete(name);
      }
    }
  }

  rows(column: Column, range: KeyRange, reverse: boolean): Row[] {
    const rows = [...this.#rows.values()]
      .filter((row) => row.column === column && keyInRange(row.key, range))
      .sort((a, b) => compareKeys(a.key, b.key))
      .map(({ key, value }) => ({ key, value }));
    return reverse ? rows.reverse() : rows;
  }
}

interface OpenCursor {
  readonly cursor: Cursor;
  readonly expected: Row[];
  readonly found: Row[];
  done: boolean;
}

async function readSome(
  clock: ManualClock,
  open: OpenCursor,
  count: number,
  maxBytes: number,
): Promise<void> {
  const { rows, done } = await clock.runUntil(open.cursor.next(count, maxBytes));
  expect(rows.length).toBeLessThanOrEqual(count);
  expect(done || rows.length > 0).toBe(true);
  open.found.push(...rows);
  open.done = done;
}

/** Those that wait for others that are settled, a few deep. */
async function promisesSettled(): Promise<void> {
  for (let depth = 0; depth < 8; depth++) {
    await Promise.resolve();
  }
}

const plain = (rows: readonly Row[]): string[] =>
  rows.map(({ key, value }) => `${Buffer.from(key).toString("latin1")}=${Buffer.from(value).toString()}`);

describe("StreamEngine's reads", () => {
  it("show exactly what was submitted, however far behind the writer is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), fc.nat(), async (commands, seed) => {
        const { clock, engine } = slowEngine(seed, 30);
        const model = new Model();
        const cursors: OpenCursor[] = [];
        for (const step of commands) {
          switch (step.kind) {
            case "submit": {
              const part = new WritePart();
              part.sync = step.sync;
              for (const [column, key, value] of step.ops) {
                model.set(column, key, value);
                if (value === undefined) {
                  part.delete(column, bytes(key));
                } else {
                  part.put(column, bytes(key), bytes(String(value)));
                }
              }
              engine.submit(part);
              break;
            }
            case "deleteRange":
              model.deleteRange(step.column, step.range);
              engine.deleteRange(step.column, step.range);
              break;
            case "open":
              cursors.push({
                cursor: engine.openCursor(step.column, step.range, { reverse: step.reverse }),
                expected: model.rows(step.column, step.range, step.reverse),
                found: [],
                done: false,
              });
              break;
            case "read": {
              const open = cursors.find((candidate) => !candidate.done);
              if (open !== undefined) {
                await readSome(clock, open, step.count, step.bytes);
              }
              break;
            }
            case "run":
              for (let i = 0; i < step.steps; i++) {
                clock.runNext();
              }
          }
          for (const key of keys.slice(1)) {
            expect(engine.get("data", bytes(key))).toEqual(model.get("data", key));
          }
        }
        for (const open of cursors) {
          while (!open.done) {
            await readSome(clock, open, 3, 1000);
          }
          expect(plain(open.found)).toEqual(plain(open.expected));
          open.cursor.close();
        }
        const values = await clock.runUntil(engine.getMany("session", keys.slice(1).map(bytes)));
        expect(values).toEqual(keys.slice(1).map((key) => model.get("session", key)));
      }),
      { numRuns: 300 },
    );
  });

  it("are exact although rows that were read are kept", async () => {
    const few = fc.constantFrom("a", "b");
    const value = fc.option(fc.nat(99), { nil: undefined });
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("put" as const), key: few, value }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("fetch" as const), key: few }) },
      { weight: 6, arbitrary: fc.record({ kind: fc.constant("run" as const), count: fc.nat(6) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear" as const), range }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 60 }), fc.nat(), async (steps, seed) => {
        const { clock, engine } = slowEngine(seed, 30);
        const model = new Model();
        for (const each of steps) {
          if (each.kind === "put") {
            const part = new WritePart();
            part.ops.push({
              ...{ column: "data", key: bytes(each.key) },
              value: each.value === undefined ? undefined : bytes(String(each.value)),
            });
            model.set("data", each.key, each.value);
            engine.submit(part);
          } else if (each.kind === "fetch") {
            // What it finds is kept, unless its key is written to meanwhile.
            void engine.getMany("data", [bytes(each.key)]);
          } else if (each.kind === "clear") {
            model.deleteRange("data", each.range);
            engine.deleteRange("data", each.range);
          }
          for (let left = each.kind === "run" ? each.count : 0; left > 0; left--) {
            clock.runNext();
            await promisesSettled();
          }
          for (const key of ["a", "b"]) {
            expect(engine.get("data", bytes(key))).toEqual(model.get("data", key));
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it("SPEC-R3: after a crash show a prefix of the stream with everything acknowledged in it", async () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ sync: fc.boolean(), steps: fc.nat(3), range: fc.boolean() }), { maxLength: 40 }),
        fc.nat(),
        (history, seed) => {
          const { clock, engine } = slowEngine(seed, 60);
          let acknowledged = 0;
          for (const [position, { sync, steps, range: asRange }] of history.entries()) {
            const onWritten = (): void => {
              acknowledged = sync ? position + 1 : acknowledged;
            };
            const part = new WritePart();
            part.sync = sync;
            part.put("data", bytes("count"), bytes(String(position + 1)));
            part.put("session", bytes(`s${position}`), bytes("x"));
            if (asRange) {
              engine.deleteRange("session", { startKey: bytes(""), endKey: bytes("") });
            }
            engine.submit(part, onWritten);
            for (let i = 0; i < steps; i++) {
              clock.runNext();
            }
          }
          const found = engine.crash();
          const count = Number(Buffer.from(found.get("data", bytes("count")) ?? bytes("0")).toString());
          expect(count).toBeGreaterThanOrEqual(acknowledged);
          // Both columns tell of the same moment, unless the next step was a deleteRange that was kept.
          for (let position = 0; position < history.length; position++) {
            const cleared =
              history.findIndex(({ range }, later) => range && later > position && later < count) !== -1;
            const maybeCleared = history[count]?.range === true;
            const value = found.get("session", bytes(`s${position}`));
            const expected = position < count && !cleared;
            if (!(expected && maybeCleared)) {
              expect(value !== undefined).toBe(expected);
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
