import { type RdbError, formatKey, limits } from "@flaredb/rdb-base";
import { describe, expect, expectTypeOf, test } from "vitest";
import { RdbClient } from "../client.ts";
import { scene } from "../testing/connect.ts";
import type { KeySpace } from "./key-space.ts";
import type { Namespace } from "./namespace.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("SPEC-U2: namespaces", () => {
  test("keys go in and come out without the prefix", async () => {
    const { client, until } = await scene();
    const users = client.namespace("user/");
    await until(users.put("ada", "1"));
    await until(client.put("user0", "behind the prefix"));
    expect((await until(client.get("user/ada")))?.text()).toBe("1");
    expect((await until(users.get("ada")))?.keyText()).toBe("ada");
    expect((await until(users.scan().toArray())).map((row) => row.keyText())).toEqual(["ada"]);
    await until(users.deleteRange({ prefix: "" }));
    expect((await until(client.scan().toArray())).map((row) => row.keyText())).toEqual(["user0"]);
  });

  test("namespaces nest", async () => {
    const { client, until } = await scene();
    const inner = client.namespace("a/").namespace("b/");
    expect(formatKey(inner.prefix)).toBe("a/b/");
    await until(inner.put("k", "v"));
    expect((await until(client.namespace("a/").get("b/k")))?.text()).toBe("v");
  });

  test("a conditional batch holds conditions and mutations inside", async () => {
    const { client, until } = await scene();
    const space = client.namespace("n/");
    const { version } = await until(space.put("from", "3"));
    const moved = await until(
      space.conditionalBatch({
        conditions: [
          { key: "from", version },
          { key: "to", absent: true },
        ],
        mutations: [{ delete: "from" }, { put: "to", value: "3" }],
      }),
    );
    expect(moved.succeeded).toBe(true);
    expect((await until(client.scan().toArray())).map((row) => row.keyText())).toEqual(["n/to"]);
  });

  test("whoever changes the prefix's bytes later moves nothing", async () => {
    const { client, until } = await scene();
    const prefix = utf8("a/");
    const space = client.namespace(prefix);
    prefix[0] = 0x62;
    space.prefix[0] = 0x63;
    await until(space.put("k", "v"));
    expect((await until(client.get("a/k")))?.text()).toBe("v");
  });

  test("a scan that is left early ends the page that is fetched ahead", async () => {
    const { client, until, cluster } = await scene();
    const space = client.namespace("n/");
    await until(space.batchPut(["a", "b", "c"].map((key) => ({ key, value: key }))));
    cluster.leaderStore("n/a").intercept = (request) =>
      request.command.case === "scan" && formatKey(request.command.value.startKey) !== "n/\\x00"
        ? "unanswered"
        : undefined;
    const seen: string[] = [];
    const early = async (): Promise<void> => {
      for await (const row of space.scan({ pageSize: 1 })) {
        seen.push(row.keyText());
        break;
      }
    };
    await until(early());
    expect(seen).toEqual(["a"]);
  });
});

describe("SPEC-U2: errors below a prefix", () => {
  test("details have the keys as they are inside, the cause has them whole", async () => {
    const { client, cluster, failure } = await scene({ splitKeys: ["n/m"] });
    cluster.moveLeader("n/z", undefined);
    const space = client.namespace("n/");
    const call = space.batchPut(
      ["a", "z"].map((key) => ({ key, value: key })),
      { deadlineMs: 200 },
    );
    const error = (await failure(call)) as RdbError;
    expect(error).toMatchObject({
      code: "RDB_UNDETERMINED_RESULT",
      details: { applied: [utf8("a")], notApplied: [utf8("z")], unknown: [] },
    });
    expect((error.cause as RdbError).details).toMatchObject({ applied: [utf8("n/a")] });
  });

  test("the rest of a range ends where the namespace ends", async () => {
    const { client, cluster, failure } = await scene({ splitKeys: ["n/m"] });
    cluster.moveLeader("n/z", undefined);
    const call = client.namespace("n/").deleteRange({ prefix: "" }, { deadlineMs: 200 });
    expect(await failure(call)).toMatchObject({
      code: "RDB_UNDETERMINED_RESULT",
      details: { remainingStart: utf8("m"), remainingEnd: new Uint8Array(0) },
    });
  });

  test("a scan's error names the key inside, and what a consumer throws stays what it is", async () => {
    const { client, cluster, failure, until } = await scene();
    const space = client.namespace("n/");
    await until(space.put("k", "v"));
    const thrown = new Error("mine");
    const consume = async (): Promise<void> => {
      for await (const row of space.scan()) {
        throw row.version > 0 ? thrown : row;
      }
    };
    expect(await failure(consume())).toBe(thrown);
    cluster.moveLeader("n/k", undefined);
    expect(await failure(space.scan({ start: "b", deadlineMs: 100 }).toArray())).toMatchObject({
      code: "RDB_DEADLINE_EXCEEDED",
      details: { key: utf8("b") },
    });
    expect(await failure(space.scanReverse({ deadlineMs: 100 }).toArray())).toMatchObject({
      details: { key: new Uint8Array(0) },
    });
  });

  test("limits count the prefix, and say so", async () => {
    const { client, failure, until } = await scene();
    expect(() => client.namespace("")).toThrow("prefix must not be empty");
    expect(() => client.namespace("x".repeat(limits.keyMaxBytes))).toThrow("to leave room for a key");
    const space = client.namespace("n/");
    const longest = "k".repeat(limits.keyMaxBytes - 2);
    await until(space.put(longest, "v"));
    expect(await failure(space.put(`${longest}k`, "v"))).toMatchObject({
      code: "RDB_INVALID_ARGUMENT",
      message: "key length 4095 must be <= 4094: keyMaxBytes 4096 less the prefix",
    });
    expect(await until(space.scan({ start: longest, end: `${longest}k` }).toArray())).toHaveLength(1);
    expect(await failure(space.deleteRange({}))).toMatchObject({ code: "RDB_INVALID_ARGUMENT" });
    expect(() => space.scan({ start: "b", end: "a" })).toThrow('start "b" must not be after end "a"');
    expect(await failure(space.batchPut([{ key: "", value: "" }]))).toMatchObject({
      message: "rows[0].key must not be empty",
    });
  });
});

test("SPEC-U2: an empty range at the edge of two Regions is empty, in both directions", async () => {
  const { client, until } = await scene({ splitKeys: ["m"] });
  for (const scan of [client.scan({ start: "m", end: "m" }), client.scanReverse({ start: "m", end: "m" })]) {
    expect(await until(scan.toArray())).toEqual([]);
  }
});

test("SPEC-U2: a client and its namespaces are key spaces", () => {
  expectTypeOf<RdbClient>().toExtend<KeySpace>();
  expectTypeOf<Namespace>().toExtend<KeySpace>();
  expectTypeOf(RdbClient.prototype.namespace).returns.toEqualTypeOf<Namespace>();
});
