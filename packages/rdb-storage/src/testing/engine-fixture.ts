import { ok } from "node:assert/strict";
import type { KeyRange } from "@flaredb/rdb-base";
import type { Column } from "../column.ts";
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

/** Each character is a byte. */
export const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
/** Of keys as {@link bytes} makes them; an empty `end` has no end. */
export const range = (start: string, end: string): KeyRange => ({
  startKey: bytes(start),
  endKey: bytes(end),
});

/** A part of puts and, with undefined, deletions in `data`. */
export function partOf(rows: Readonly<Record<string, string | undefined>>, sync = false): WritePart {
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
export async function scan(
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

/** What is left of a cursor, as `key=value`. */
export async function drain(fixture: EngineFixture, cursor: Cursor, pageCount: number): Promise<string[]> {
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

/** The opposite of {@link bytes}; says so when there is no value. */
export function text(value: Uint8Array | undefined): string {
  return value === undefined ? "(none)" : Buffer.from(value).toString("latin1");
}
