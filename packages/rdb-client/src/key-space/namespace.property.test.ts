import { formatKey } from "@flaredb/rdb-base";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Scene, scene } from "../testing/connect.ts";
import type { KeySpace } from "./key-space.ts";

// A namespace behaves as a client of a cluster that has nothing but its rows: both are given the same operations, the
// namespace in a cluster with other rows right before, at and right behind its prefix, and Regions cut around it.

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const byte = fc.constantFrom(0x00, 0x01, 0x61, 0x62, 0x7f, 0xfe, 0xff);
const bytes = (minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.array(byte, { minLength, maxLength }).map((list) => Uint8Array.from(list));
// Sometimes empty, which both must refuse.
const key = bytes(0, 2);
const realKey = bytes(1, 2);
const value = fc.constantFrom("", "x", "y");
const range = fc.oneof(
  fc.record({ prefix: key }),
  fc.record({ start: key, end: key }),
  fc.record({ start: key }),
  fc.record({ end: key }),
  fc.constant({}),
);
const scanOptions = fc
  .tuple(
    range,
    fc.record(
      { limit: fc.integer({ min: 1, max: 4 }), pageSize: fc.integer({ min: 1, max: 3 }) },
      {
        requiredKeys: [],
      },
    ),
  )
  .map(([keys, others]) => ({ ...keys, ...others }));

type Step = (space: KeySpace) => Promise<unknown>;

const versionless = (
  row: { key: Uint8Array; value: Uint8Array } | undefined,
  prefix = new Uint8Array(0),
): string | undefined => row && `${formatKey(prefix)}${formatKey(row.key)}=${formatKey(row.value)}`;

const step: fc.Arbitrary<[string, Step]> = fc.oneof(
  fc
    .tuple(key, value)
    .map(([k, v]): [string, Step] => [
      `put ${formatKey(k)}`,
      async (space) => (await space.put(k, v)).version > 0,
    ]),
  key.map((k): [string, Step] => [`get ${formatKey(k)}`, async (space) => versionless(await space.get(k))]),
  key.map((k): [string, Step] => [
    `delete ${formatKey(k)}`,
    async (space) => (await space.delete(k)).deleted,
  ]),
  fc
    .array(key, { maxLength: 4 })
    .map((ks): [string, Step] => [
      `batchGet ${ks.map(formatKey).join()}`,
      async (space) => (await space.batchGet(ks)).map((row) => versionless(row)),
    ]),
  fc
    .uniqueArray(realKey, { maxLength: 4, selector: formatKey })
    .map((ks): [string, Step] => [
      `batchPut ${ks.map(formatKey).join()}`,
      async (space) => (await space.batchPut(ks.map((k) => ({ key: k, value: k })))).versions.length,
    ]),
  fc
    .uniqueArray(realKey, { maxLength: 4, selector: formatKey })
    .map((ks): [string, Step] => [
      `batchDelete ${ks.map(formatKey).join()}`,
      async (space) => (await space.batchDelete(ks)).deletedCount,
    ]),
  range.map((r): [string, Step] => [
    `deleteRange ${describe(r)}`,
    async (space) => {
      const { parts } = await space.deleteRange(r);
      const [first] = parts;
      if ("end" in r && r.end.length === 1 && r.end[0] === 0) {
        // No key is below \0: whether a Region is asked for nothing is no matter.
        return undefined;
      }
      return first && [formatKey(first.startKey), formatKey(parts.at(-1)?.endKey ?? first.endKey)];
    },
  ]),
  scanOptions.map((options): [string, Step] => [
    `scan ${describe(options)}`,
    async (space) => (await space.scan(options).toArray()).map((row) => versionless(row)),
  ]),
  scanOptions.map((options): [string, Step] => [
    `scanReverse ${describe(options)}`,
    async (space) => (await space.scanReverse(options).toArray()).map((row) => versionless(row)),
  ]),
  fc.tuple(key, value, value).map(([k, was, v]): [string, Step] => [
    `compareAndSwap ${formatKey(k)}`,
    async (space) => {
      const result = await space.compareAndSwap(k, { value: was }, v, { returnPrevious: true });
      return [result.succeeded, versionless(result.previous)];
    },
  ]),
  fc.tuple(key, value).map(([k, was]): [string, Step] => [
    `compareAndDelete ${formatKey(k)}`,
    async (space) => {
      const result = await space.compareAndDelete(k, { value: was }, { returnPrevious: true });
      return [result.succeeded, versionless(result.previous)];
    },
  ]),
  fc.tuple(key, fc.boolean()).map(([k, isPut]): [string, Step] => [
    `conditionalBatch ${formatKey(k)}`,
    async (space) => {
      const result = await space.conditionalBatch({
        conditions: [{ key: k, absent: true }],
        mutations: [isPut ? { put: k, value: "c" } : { delete: k }],
      });
      return [result.succeeded, result.failedConditions];
    },
  ]),
);

function describe(options: object): string {
  return JSON.stringify(options, (_, part: unknown) => (part instanceof Uint8Array ? formatKey(part) : part));
}

/** What came of a step; of a refusal its code and the keys of its details. */
async function outcome({ until }: Scene, run: Promise<unknown>): Promise<unknown> {
  const settled = run
    .then((result) => ({ result }))
    .catch((error: { code?: string }) => ({ code: error.code }));
  return until(settled);
}

/** Right outside a prefix: itself, what is just before it, and what is just behind all that begins with it. */
function neighbours(prefix: Uint8Array): Uint8Array[] {
  const last = prefix.at(-1) as number;
  const near = [prefix, prefix.slice(0, -1)];
  if (last > 0) {
    near.push(Uint8Array.from([...prefix.slice(0, -1), last - 1, 0xff]));
  }
  if (last < 0xff) {
    near.push(Uint8Array.from([...prefix.slice(0, -1), last + 1]));
  }
  return near.filter((outside) => outside.length > 0);
}

const splits = fc.constantFrom<string[]>(
  [],
  ["a", "b"],
  ["\0", "a\0", "ab"],
  ["a", "aa", "aaa", "aaaa"],
  ["\u0001", "b", "\x7f"],
);

test("SPEC-U2: a namespace is a client whose whole key space is the prefix", async () => {
  const all = fc.asyncProperty(
    fc.array(bytes(1, 2), { minLength: 1, maxLength: 2 }),
    splits,
    fc.array(step, { minLength: 1, maxLength: 12 }),
    async (prefixes, splitKeys, steps) => {
      const whole = await scene({ splitKeys });
      const model = await scene();
      const prefix = Uint8Array.from(prefixes.flatMap((part) => [...part]));
      for (const outside of neighbours(prefix)) {
        await whole.until(whole.client.put(outside, "outside"));
      }
      let space: KeySpace = whole.client;
      for (const part of prefixes) {
        space = space.namespace(part);
      }
      for (const [name, run] of steps) {
        const expected = await outcome(model, run(model.client));
        expect(await outcome(whole, run(space)), `${name} below ${formatKey(prefix)}`).toEqual(expected);
      }
      const inside = await model.until(model.client.scan().toArray());
      const rows = await whole.until(whole.client.scan().toArray());
      const expectedRows = [
        ...inside.map((row) => versionless(row, prefix)),
        ...neighbours(prefix).map((outside) => versionless({ key: outside, value: utf8("outside") })),
      ];
      expect(new Set(rows.map((row) => versionless(row)))).toEqual(new Set(expectedRows));
      expect(rows).toHaveLength(expectedRows.length);
      whole.client.close();
      model.client.close();
    },
  );
  await fc.assert(all, { numRuns: 300 });
});
