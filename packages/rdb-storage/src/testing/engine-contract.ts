import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { FULL_RANGE, compareKeys } from "@flaredb/rdb-base";
import { columns } from "../column.ts";
import { WritePart } from "../write-part.ts";
import { type EngineFixture, bytes, drain, partOf, range, scan, text } from "./engine-fixture.ts";
import { randomWalk } from "./random-walk.ts";

/** One case of the contract; fails by throwing. */
export interface ContractCase {
  readonly name: string;
  run(fixture: EngineFixture): Promise<void>;
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
      strictEqual(engine.passAgeMs(), 0);
      engine.submit(partOf({ a: "12345" }));
      ok(engine.unwrittenBytes >= 6);
      await fixture.settle(engine.flush());
      strictEqual(engine.unwrittenBytes, 0);
      strictEqual(engine.passAgeMs(), 0);
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
