import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { FULL_RANGE, SeededRandom, keyInRange } from "@flaredb/rdb-base";
import type { Cursor } from "../engine.ts";
import { type EngineFixture, bytes, drain, partOf, range, text } from "./engine-fixture.ts";

const WALK_KEYS = ["a", "ab", "b", "c", "c\x00", "d", "\xfe", "\xff"];

/** Random mutations, checked against a plain map by point reads and by cursors that stay open for a while. */
export async function randomWalk(fixture: EngineFixture, steps: number): Promise<void> {
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
