import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { FULL_RANGE, type KeyRange, SeededRandom, compareKeys, keyInRange } from "@flaredb/rdb-base";
import { type Column, columns } from "../column.ts";
import type { Cursor, CursorOptions, Engine } from "../engine.ts";
import { WritePart } from "../write-part.ts";

/** An engine under test, and what its surroundings have to do for it. */
export interface EngineFixture {
  readonly engine: Engine;
  /** Passes on the promise's outcome, and does what it waits for (a simulated clock has to be run). */
  settle<T>(promise: Promise<T>): Promise<T>;
  /** What is found when the engine's content is opened again, after a clean close. */
  reopen(): Promise<EngineFixture>;
}

/** One case of the contract; fails by throwing. */
export interface ContractCase {
  readonly name: string;
  run(fixture: EngineFixture): Promise<void>;
}

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
const range = (start: string, end: string): KeyRange => ({ startKey: bytes(start), endKey: bytes(end) });

/** A part of puts and, with undefined, deletions in `data`. */
function partOf(rows: Readonly<Record<string, string | undefined>>, sync = false): WritePart {
  const part = new WritePart();
  for (const [key, value] of Object.entries(rows)) {
    if (value === undefined) {
      part.delete("data", bytes(key));
    } else {
      part.put("data", bytes(key), bytes(value));
    }
  }
  part.sync = sync;
  return part;
}

/** All rows of a range as `key=value`, read in pages. */
async function scan(
  fixture: EngineFixture,
  column: Column,
  within: KeyRange,
  options: CursorOptions & { readonly pageCount?: number } = {},
): Promise<string[]> {
  const cursor = fixture.engine.openCursor(column, within, options);
  try {
    return await drain(fixture, cursor, options.pageCount ?? 3);
  } finally {
    cursor.close();
  }
}

async function drain(fixture: EngineFixture, cursor: Cursor, pageCount: number): Promise<string[]> {
  const found: string[] = [];
  for (;;) {
    const { rows, done } = await fixture.settle(cursor.next(pageCount, 1e9));
    ok(rows.length <= pageCount, "a page keeps to its count");
    ok(done || rows.length > 0, "a page without rows is the last");
    found.push(...rows.map(({ key, value }) => `${text(key)}=${text(value)}`));
    if (done) {
      return found;
    }
  }
}

function text(value: Uint8Array | undefined): string {
  return value === undefined ? "(none)" : Buffer.from(value).toString("latin1");
}

/** Runs `check` while nothing is written yet, then again once everything is. */
async function beforeAndAfterWriting(fixture: EngineFixture, check: () => Promise<void>): Promise<void> {
  await check();
  await fixture.settle(fixture.engine.flush());
  await check();
}

/** What every {@link Engine} does. Each case begins with an empty engine and leaves it open. */
export const engineContract: readonly ContractCase[] = [
  {
    name: "shows what is submitted at once, and no more after a deletion",
    run: async (fixture) => {
      const { engine } = fixture;
      engine.submit(partOf({ a: "1", b: "2" }));
      engine.submit(partOf({ a: undefined, b: "3" }));
      await beforeAndAfterWriting(fixture, async () => {
        deepStrictEqual(
          [engine.get("data", bytes("a")), text(engine.get("data", bytes("b")))],
          [undefined, "3"],
        );
        const many = await fixture.settle(
          engine.getMany("data", [bytes("b"), bytes("x"), bytes("a"), bytes("b")]),
        );
        deepStrictEqual(many.map(text), ["3", "(none)", "(none)", "3"]);
      });
    },
  },
  {
    name: "keeps columns apart",
    run: async (fixture) => {
      const part = new WritePart();
      for (const column of columns) {
        part.put(column, bytes("key"), bytes(column));
      }
      fixture.engine.submit(part);
      await beforeAndAfterWriting(fixture, async () => {
        for (const column of columns) {
          strictEqual(text(fixture.engine.get(column, bytes("key"))), column);
        }
      });
    },
  },
  {
    name: "orders keys as unsigned bytes",
    run: async (fixture) => {
      fixture.engine.submit(
        partOf({ "\xff\xff": "5", "a\x00": "2", "\x80": "4", a: "1", "\x00": "0", ab: "3" }),
      );
      const expected = ["\x00=0", "a=1", "a\x00=2", "ab=3", "\x80=4", "\xff\xff=5"];
      await beforeAndAfterWriting(fixture, async () => {
        deepStrictEqual(await scan(fixture, "data", FULL_RANGE), expected);
        deepStrictEqual(await scan(fixture, "data", FULL_RANGE, { reverse: true }), expected.toReversed());
      });
    },
  },
  {
    name: "walks half-open ranges, and may leave values out",
    run: async (fixture) => {
      fixture.engine.submit(partOf({ a: "1", b: "2", c: "3", d: "4" }));
      await beforeAndAfterWriting(fixture, async () => {
        deepStrictEqual(await scan(fixture, "data", range("b", "d")), ["b=2", "c=3"]);
        deepStrictEqual(await scan(fixture, "data", range("b", "d"), { reverse: true }), ["c=3", "b=2"]);
        deepStrictEqual(await scan(fixture, "data", range("c", "")), ["c=3", "d=4"]);
        deepStrictEqual(await scan(fixture, "data", range("e", "z")), []);
        deepStrictEqual(await scan(fixture, "data", range("", "b"), { keysOnly: true }), ["a="]);
      });
    },
  },
  {
    name: "ends a page with the row that reaches maxBytes",
    run: async (fixture) => {
      fixture.engine.submit(partOf({ a: "1234", b: "1234", c: "1234" }));
      await beforeAndAfterWriting(fixture, async () => {
        const cursor = fixture.engine.openCursor("data", FULL_RANGE);
        const counts: number[] = [];
        for (const maxBytes of [1, 6, 100]) {
          counts.push((await fixture.settle(cursor.next(10, maxBytes))).rows.length);
        }
        cursor.close();
        deepStrictEqual(counts, [1, 2, 0]);
      });
    },
  },
  {
    name: "holds cursors to what was submitted when they were opened",
    run: async (fixture) => {
      const { engine, settle } = fixture;
      engine.submit(partOf({ a: "1", b: "1", c: "1", d: "1" }));
      await settle(engine.flush());
      engine.submit(partOf({ b: "2" }));
      const cursor = engine.openCursor("data", FULL_RANGE);
      const first = await settle(cursor.next(1, 1));
      deepStrictEqual(
        first.rows.map(({ key }) => text(key)),
        ["a"],
      );
      engine.submit(partOf({ b: "3", c: undefined, e: "3" }));
      engine.deleteRange("data", range("d", "e"));
      await settle(engine.flush());
      deepStrictEqual(await drain(fixture, cursor, 2), ["b=2", "c=1", "d=1"]);
      cursor.close();
      cursor.close();
    },
  },
  {
    name: "deletes ranges as a step of the stream",
    run: async (fixture) => {
      const { engine } = fixture;
      engine.submit(partOf({ a: "1", b: "1", c: "1", "\xff\xff": "1" }));
      engine.deleteRange("data", range("a", "c"));
      engine.submit(partOf({ b: "2" }));
      await beforeAndAfterWriting(fixture, async () => {
        deepStrictEqual(await scan(fixture, "data", FULL_RANGE), ["b=2", "c=1", "\xff\xff=1"]);
        strictEqual(engine.get("data", bytes("a")), undefined);
        deepStrictEqual(await fixture.settle(engine.getMany("data", [bytes("a")])), [undefined]);
      });
      engine.deleteRange("data", range("b\x00", ""));
      await beforeAndAfterWriting(fixture, async () => {
        deepStrictEqual(await scan(fixture, "data", FULL_RANGE), ["b=2"]);
      });
      engine.deleteRange("data", FULL_RANGE);
      await beforeAndAfterWriting(fixture, async () => {
        deepStrictEqual(await scan(fixture, "data", FULL_RANGE), []);
      });
    },
  },
  {
    name: "calls back in the order of submission, parts and deletions alike, never at once",
    run: async (fixture) => {
      const { engine } = fixture;
      const order: number[] = [];
      for (let i = 0; i < 20; i++) {
        if (i % 5 === 4) {
          engine.deleteRange("session", FULL_RANGE, () => order.push(i));
        } else {
          engine.submit(i % 5 === 3 ? new WritePart() : partOf({ [`k${i}`]: "v" }), () => order.push(i));
        }
      }
      deepStrictEqual(order, []);
      await fixture.settle(engine.flush());
      deepStrictEqual(
        order,
        Array.from({ length: 20 }, (_, i) => i),
      );
    },
  },
  {
    name: "takes parts that are submitted from a callback",
    run: async (fixture) => {
      const { engine } = fixture;
      await fixture.settle(
        new Promise<void>((resolve) => {
          engine.submit(partOf({ a: "1" }, true), () => engine.submit(partOf({ b: "2" }, true), resolve));
        }),
      );
      deepStrictEqual(await scan(fixture, "data", FULL_RANGE), ["a=1", "b=2"]);
    },
  },
  {
    name: "counts what is unwritten",
    run: async (fixture) => {
      const { engine } = fixture;
      strictEqual(engine.unwrittenBytes, 0);
      strictEqual(engine.oldestUnwrittenAgeMs(), 0);
      engine.submit(partOf({ a: "12345" }));
      ok(engine.unwrittenBytes >= 6);
      await fixture.settle(engine.flush());
      strictEqual(engine.unwrittenBytes, 0);
      strictEqual(engine.oldestUnwrittenAgeMs(), 0);
    },
  },
  {
    name: "holds values of 8 MiB and values of nothing",
    run: async (fixture) => {
      const { engine } = fixture;
      const large = new Uint8Array(8 * 1024 * 1024).fill(7);
      const part = new WritePart();
      part.put("data", bytes("large"), large);
      part.put("data", bytes("nothing"), new Uint8Array(0));
      engine.submit(part);
      await beforeAndAfterWriting(fixture, async () => {
        strictEqual(engine.get("data", bytes("large"))?.length, large.length);
        strictEqual(engine.get("data", bytes("nothing"))?.length, 0);
        const [found] = await fixture.settle(engine.getMany("data", [bytes("large")]));
        strictEqual(found === undefined ? -1 : compareKeys(found, large), 0);
      });
    },
  },
  {
    name: "holds after a reopen what was there at the close",
    run: async (fixture) => {
      fixture.engine.submit(partOf({ a: "1" }));
      fixture.engine.deleteRange("data", range("a", "b"));
      fixture.engine.submit(partOf({ c: "2" }));
      await fixture.settle(fixture.engine.close());
      await fixture.engine.close();
      const reopened = await fixture.reopen();
      deepStrictEqual(await scan(reopened, "data", FULL_RANGE), ["c=2"]);
    },
  },
  {
    name: "shows a plain map's content under random steps, however far the writer is",
    run: async (fixture) => randomWalk(fixture, 600),
  },
];

const WALK_KEYS = ["a", "ab", "b", "c", "c\x00", "d", "\xfe", "\xff"];

/** Random mutations, checked against a plain map by point reads and by cursors that stay open for a while. */
async function randomWalk(fixture: EngineFixture, steps: number): Promise<void> {
  const { engine } = fixture;
  const random = new SeededRandom(20_240_229);
  const model = new Map<string, string>();
  const pending: { readonly cursor: Cursor; readonly expected: string[] }[] = [];
  const anyKey = (): string => WALK_KEYS[random.nextInt(WALK_KEYS.length)] as string;
  for (let step = 0; step < steps; step++) {
    const choice = random.nextInt(12);
    if (choice < 6) {
      const key = anyKey();
      const value = random.nextInt(3) === 0 ? undefined : String(step);
      engine.submit(partOf({ [key]: value }, random.nextInt(2) === 0));
      if (value === undefined) {
        model.delete(key);
      } else {
        model.set(key, value);
      }
    } else if (choice === 6) {
      const start = anyKey();
      const within = range(start, `${start}\xff`);
      engine.deleteRange("data", within);
      for (const key of model.keys()) {
        if (keyInRange(bytes(key), within)) {
          model.delete(key);
        }
      }
    } else if (choice < 9) {
      const reverse = choice === 7;
      pending.push({
        cursor: engine.openCursor("data", FULL_RANGE, { reverse }),
        expected: sortedRows(model, reverse),
      });
    } else if (choice === 9) {
      const oldest = pending.shift();
      if (oldest !== undefined) {
        deepStrictEqual(await drain(fixture, oldest.cursor, 1 + random.nextInt(4)), oldest.expected);
        oldest.cursor.close();
      }
    } else {
      for (const key of WALK_KEYS) {
        strictEqual(text(engine.get("data", bytes(key))), model.get(key) ?? "(none)");
      }
    }
  }
  for (const { cursor, expected } of pending) {
    deepStrictEqual(await drain(fixture, cursor, 3), expected);
    cursor.close();
  }
}

function sortedRows(model: ReadonlyMap<string, string>, reverse: boolean): string[] {
  const rows = [...model].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`);
  return reverse ? rows.reverse() : rows;
}
