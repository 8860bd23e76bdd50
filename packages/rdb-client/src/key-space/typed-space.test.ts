import { type RdbError, compareKeys } from "@flaredb/rdb-base";
import * as fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { scene } from "../testing/connect.ts";
import { type Codec, type Schema, bytesCodec, integerCodec, jsonCodec, textCodec } from "./codec.ts";
import type { TypedRow } from "./typed-row.ts";

interface User {
  readonly name: string;
  readonly age: number;
}

/** What a zod object is to us. */
const userSchema: Schema<User> = {
  parse: (input) => {
    const user = input as User;
    if (typeof user.name !== "string" || typeof user.age !== "number") {
      throw new TypeError("a user has a name and an age");
    }
    return { name: user.name, age: user.age };
  },
};
const userCodecs = { key: textCodec, value: jsonCodec(userSchema) };
const ada: User = { name: "Ada", age: 36 };

describe("SPEC-U2: typed keys and values", () => {
  test("every operation takes and gives typed rows", async () => {
    const { client, until } = await scene();
    const users = client.namespace("user/").typed(userCodecs);
    const { version } = await until(users.put("ada", ada));
    expect(await until(users.get("ada"))).toMatchObject({ key: "ada", value: ada, version });
    expect(await until(users.get("bob"))).toBeUndefined();
    await until(users.batchPut([{ key: "bob", value: { name: "Bob", age: 1 } }]));
    expect((await until(users.batchGet(["bob", "eve"]))).map((row) => row?.value.age)).toEqual([
      1,
      undefined,
    ]);
    const swap = users.compareAndSwap("ada", { value: ada }, { ...ada, age: 37 }, { returnPrevious: true });
    expect(await until(swap)).toMatchObject({ succeeded: true, previous: { key: "ada", value: ada } });
    expect(
      (await until(users.scan({ start: "ada", end: "b" }).toArray())).map((row) => row.value.age),
    ).toEqual([37]);
    expect((await until(users.scanReverse().toArray())).map((row) => row.key)).toEqual(["bob", "ada"]);
    const batch = await until(
      users.conditionalBatch({
        conditions: [{ key: "eve", absent: true }],
        mutations: [{ put: "eve", value: ada }, { delete: "bob" }],
      }),
    );
    expect(batch.succeeded).toBe(true);
    expect(await until(users.compareAndDelete("eve", { absent: true }))).toMatchObject({ succeeded: false });
    expect(await until(users.delete("eve"))).toMatchObject({ deleted: true });
    expect(await until(users.batchDelete(["ada", "bob"]))).toMatchObject({ deletedCount: 1 });
    await until(users.put("x", ada));
    await until(users.deleteRange({ prefix: "x" }));
    expect(await until(client.scan().toArray())).toEqual([]);
  });

  test("types go through", async () => {
    const { client } = await scene();
    const users = client.typed(userCodecs);
    expectTypeOf(users.get).parameter(0).toEqualTypeOf<string>();
    expectTypeOf(users.get).returns.resolves.toEqualTypeOf<TypedRow<string, User> | undefined>();
    expectTypeOf(users.put).parameter(1).toEqualTypeOf<User>();
    expectTypeOf(users.scan().toArray).returns.resolves.toEqualTypeOf<TypedRow<string, User>[]>();
    expectTypeOf(client.typed({ key: integerCodec, value: bytesCodec }).get)
      .parameter(0)
      .toEqualTypeOf<number>();
    expectTypeOf(jsonCodec(userSchema)).toEqualTypeOf<Codec<User>>();
    expectTypeOf(jsonCodec()).toEqualTypeOf<Codec<unknown>>();
    // @ts-expect-error a user has a name
    expectTypeOf(users.put).toBeCallableWith("ada", { age: 36 });
    // @ts-expect-error keys are text
    expectTypeOf(users.get).toBeCallableWith(7);
  });

  test("what cannot be encoded is refused before anything is sent", async () => {
    const { client, cluster, failure } = await scene();
    const any = client.typed({ key: integerCodec, value: jsonCodec() });
    const before = cluster.stores.map((store) => store.requests.length);
    expect(await failure(any.put(0.5, 1))).toMatchObject({
      code: "RDB_INVALID_ARGUMENT",
      details: { field: "key", value: 0.5 },
    });
    expect(await failure(any.batchPut([{ key: 1, value: undefined }]))).toMatchObject({
      code: "RDB_INVALID_ARGUMENT",
      message: "rows[0].value cannot be encoded: a value of type undefined has no JSON",
    });
    expect(cluster.stores.map((store) => store.requests.length)).toEqual(before);
  });

  test("what cannot be decoded names its row", async () => {
    const { client, failure, until } = await scene();
    const users = client.namespace("user/").typed(userCodecs);
    await until(client.put("user/ada", '{"name":"Ada"}'));
    const reads = [() => users.get("ada"), () => users.scan().toArray(), () => users.batchGet(["ada"])];
    for (const read of reads) {
      expect(await failure(read())).toMatchObject({
        code: "RDB_DATA_CORRUPT",
        message: 'value of the row "ada" cannot be decoded: a user has a name and an age',
        details: { key: new TextEncoder().encode("ada"), part: "value" },
      });
    }
  });

  test("a swap that happened is told as one, though what was there cannot be decoded", async () => {
    const { client, failure, until } = await scene();
    const users = client.typed(userCodecs);
    const { version } = await until(client.put("ada", "old form"));
    const refused = users.compareAndSwap("ada", { version: 999 }, ada, { returnPrevious: true });
    expect(await failure(refused)).toMatchObject({ code: "RDB_DATA_CORRUPT" });
    const error = (await failure(
      users.compareAndSwap("ada", { version }, ada, { returnPrevious: true }),
    )) as RdbError;
    expect(error).toMatchObject({ code: "RDB_UNDETERMINED_RESULT", details: { isApplied: true } });
    expect((await until(users.get("ada")))?.value).toEqual(ada);
  });
});

describe("codecs", () => {
  const wholeNumber = fc.maxSafeInteger();

  const bytesOf = (value: number): Uint8Array => integerCodec.encode(value) as Uint8Array;

  test("whole numbers come back, and are ordered as numbers", () => {
    fc.assert(
      fc.property(wholeNumber, wholeNumber, (a, b) => {
        // Zero has one form, as -0 has no other bytes.
        expect(integerCodec.decode(bytesOf(a))).toBe(a + 0);
        expect(Math.sign(compareKeys(bytesOf(a), bytesOf(b)))).toBe(Math.sign(a - b) + 0);
      }),
    );
    for (const edge of [Number.MIN_SAFE_INTEGER, -1, 0, 1, Number.MAX_SAFE_INTEGER]) {
      expect(integerCodec.decode(bytesOf(edge))).toBe(edge);
    }
  });

  test("bytes of another form are no whole number", () => {
    expect(() => integerCodec.decode(new Uint8Array(7))).toThrow("has 8 bytes, not 7");
    expect(() => integerCodec.decode(new Uint8Array(8).fill(0xff))).toThrow("not within");
  });

  test("text and JSON come back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.jsonValue(), (text, json) => {
        expect(textCodec.decode(new TextEncoder().encode(textCodec.encode(text) as string))).toBe(text);
        const encoded = jsonCodec().encode(json) as string;
        expect(jsonCodec().decode(new TextEncoder().encode(encoded))).toEqual(JSON.parse(encoded));
      }),
    );
    expect(() => textCodec.decode(Uint8Array.of(0xff))).toThrow(TypeError);
  });
});
