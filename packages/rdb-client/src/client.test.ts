import { type Region, limits } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import type { RdbClient } from "./client.ts";
import type { AnswerTrace } from "./ports.ts";
import { scene } from "./testing/connect.ts";
import { LATENCY_MS } from "./testing/fake-cluster.ts";

const keys = (rows: readonly { keyText(): string }[]): string[] => rows.map((row) => row.keyText());
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("SPEC-U2: single rows", () => {
  test("text and bytes go in, rows come out", async () => {
    const { client, until } = await scene();
    const first = await until(client.put("city", "Bern"));
    expect(first.version).toBeGreaterThan(0);
    const row = await until(client.get(utf8("city")));
    expect(row?.text()).toBe("Bern");
    expect(row?.keyText()).toBe("city");
    expect(row?.version).toBe(first.version);
    expect(row?.revision).toBeGreaterThanOrEqual(first.version);
    const second = await until(client.put(utf8("city"), JSON.stringify({ name: "Bern" })));
    expect(second.version).toBeGreaterThan(first.version);
    expect((await until(client.get("city")))?.json()).toEqual({ name: "Bern" });
    expect(await until(client.get("nothing"))).toBeUndefined();
    expect(await until(client.delete("city"))).toMatchObject({ deleted: true });
    expect(await until(client.delete("city"))).toMatchObject({ deleted: false });
  });

  test("a value that is not text is not made to look like some", async () => {
    const { client, until } = await scene();
    await until(client.put("k", new Uint8Array([0xff, 0xfe])));
    const row = await until(client.get("k"));
    expect(row?.value).toEqual(new Uint8Array([0xff, 0xfe]));
    expect(() => row?.text()).toThrow(TypeError);
  });

  test("a small value does not keep the message that brought it", async () => {
    const { client, until } = await scene();
    await until(client.put("a", "small"));
    await until(client.put("b", "x".repeat(100_000)));
    const [small] = await until(client.batchGet(["a", "b"]));
    expect(small?.value.buffer.byteLength).toBeLessThanOrEqual(8 * 1024);
  });
});

describe("SPEC-U2: where and when a result was true", () => {
  test("every result names its Region and the Region's revision", async () => {
    const { client, until } = await scene({ splitKeys: ["m"] });
    const put = await until(client.put("a", "1"));
    expect(put).toEqual({ version: 1, revision: 1, regionId: 1 });
    expect(await until(client.get("a"))).toMatchObject({ revision: 1, regionId: 1 });
    expect(await until(client.put("z", "1"))).toMatchObject({ revision: 2, regionId: 2 });
    expect(await until(client.delete("z"))).toMatchObject({ revision: 3, regionId: 2 });
    expect(await until(client.compareAndSwap("a", { version: 9 }, "x"))).toMatchObject({
      succeeded: false,
      revision: 3,
      regionId: 1,
    });
    expect(await until(client.compareAndDelete("a", { version: 1 }))).toMatchObject({
      revision: 4,
      regionId: 1,
    });
    const batch = await until(client.batchPut(["a", "z", "b"].map((key) => ({ key, value: key }))));
    expect(batch).toEqual({
      versions: [5, 7, 6],
      parts: [
        { regionId: 1, revision: 6, places: [0, 2] },
        { regionId: 2, revision: 7, places: [1] },
      ],
    });
    const found = await until(client.batchGet(["z", "a"]));
    expect(found.map((row) => [row?.regionId, row?.revision])).toEqual([
      [2, 7],
      [1, 7],
    ]);
    expect((await until(client.scan().toArray())).map((row) => row.regionId)).toEqual([1, 1, 2]);
    expect(await until(client.batchDelete(["a", "z"]))).toMatchObject({
      parts: [
        { regionId: 1, revision: 8, places: [0] },
        { regionId: 2, revision: 9, places: [1] },
      ],
    });
    expect(await until(client.conditionalBatch({ mutations: [{ delete: "z" }] }))).toMatchObject({
      revision: 10,
      regionId: 2,
    });
    expect(await until(client.deleteRange({ start: "b", end: "z" }))).toEqual({
      regionCount: 2,
      parts: [
        { startKey: utf8("b"), endKey: utf8("m"), regionId: 1, revision: 11 },
        { startKey: utf8("m"), endKey: utf8("z"), regionId: 2, revision: 11 },
      ],
    });
  });

  test("a checker is told of every answer, also of a key that there is not", async () => {
    const answers: AnswerTrace[] = [];
    const { client, until } = await scene({ onAnswer: (answer) => answers.push(answer) });
    await until(client.put("k", "v"));
    expect(await until(client.get("absent"))).toBeUndefined();
    expect(answers).toMatchObject([
      { command: { case: "put" }, regionId: 1, storeId: 1, sequence: 1, attemptCount: 1 },
      { result: { case: "get", value: { found: false, revision: 1n } }, sequence: undefined },
    ]);
  });
});

describe("SPEC-U2: compare", () => {
  test("swaps and deletes on version, value and absence", async () => {
    const { client, until } = await scene();
    const made = await until(client.compareAndSwap("k", { absent: true }, "1"));
    expect(made).toMatchObject({ succeeded: true, previous: undefined });
    expect(await until(client.compareAndSwap("k", { absent: true }, "2"))).toMatchObject({
      succeeded: false,
      version: made.version,
    });
    const swapped = await until(
      client.compareAndSwap("k", { version: made.version as number }, "2", { returnPrevious: true }),
    );
    expect(swapped.succeeded).toBe(true);
    expect(swapped.previous?.text()).toBe("1");
    expect(await until(client.compareAndDelete("k", { value: "1" }))).toMatchObject({ succeeded: false });
    expect(await until(client.compareAndDelete("k", { value: "2" }))).toMatchObject({ succeeded: true });
    expect(await until(client.compareAndSwap("k", { version: 1 }, "3"))).toMatchObject({
      succeeded: false,
      version: undefined,
    });
  });
});

describe("SPEC-U2: batches", () => {
  test("reach every Region, in the order given", async () => {
    const { client, cluster, until } = await scene({ splitKeys: ["h", "p"] });
    const rows = ["z", "a", "i", "b", "q"].map((key) => ({ key, value: `value of ${key}` }));
    const { versions } = await until(client.batchPut(rows));
    for (const [place, row] of rows.entries()) {
      expect(Number(cluster.rows.get(utf8(row.key))?.version)).toBe(versions[place]);
    }
    const found = await until(client.batchGet(["q", "missing", "a", "q", "z"]));
    expect(found.map((row) => row?.text())).toEqual([
      "value of q",
      undefined,
      "value of a",
      "value of q",
      "value of z",
    ]);
    expect(await until(client.batchDelete(["a", "i", "nothing", "z"]))).toMatchObject({ deletedCount: 3 });
    expect(keys(await until(client.scan().toArray()))).toEqual(["b", "q"]);
  });

  test("a part that a split has cut is cut again", async () => {
    const { client, cluster, until } = await scene();
    await until(client.get("a"));
    cluster.split("m");
    cluster.split("t");
    cluster.isPdUp = false;
    const rows = ["a", "n", "u", "b"].map((key) => ({ key, value: key }));
    await until(client.batchPut(rows));
    expect([...cluster.rows.writeCounts.values()]).toEqual([1, 1, 1, 1]);
  });

  test("a failure says which keys are applied, not applied and unknown", async () => {
    const { client, cluster, failure, until } = await scene({ splitKeys: ["h", "p"] });
    await until(client.scan().toArray());
    cluster.moveLeader("a", undefined);
    cluster.leaderStore("i").intercept = ({ command }) =>
      command.case === "batchPut" && command.value.rows.some((row) => row.value[0] === utf8("i")[0])
        ? "unanswered"
        : undefined;
    const rows = ["a", "i", "z"].map((key) => ({ key, value: key }));
    const error = await failure(client.batchPut(rows, { deadlineMs: 450 }));
    expect(error).toMatchObject({
      code: "RDB_UNDETERMINED_RESULT",
      details: { applied: [utf8("z")], notApplied: [utf8("a")], unknown: [utf8("i")] },
    });
  });

  test("when nothing was applied the code says so", async () => {
    const { client, cluster, failure } = await scene({ splitKeys: ["m"] });
    cluster.moveLeader("a", undefined);
    cluster.moveLeader("z", undefined);
    const error = await failure(client.batchDelete(["a", "z"], { deadlineMs: 200 }));
    expect(error).toMatchObject({
      code: "RDB_DEADLINE_EXCEEDED",
      details: { applied: [], unknown: [] },
    });
  });
});

describe("conditional batch", () => {
  test("all or nothing within one Region", async () => {
    const { client, until } = await scene();
    const { version } = await until(client.put("a", "1"));
    const done = await until(
      client.conditionalBatch({
        conditions: [
          { key: "a", version },
          { key: "b", absent: true },
        ],
        mutations: [{ put: "b", value: "2" }, { delete: "a" }],
      }),
    );
    expect(done).toMatchObject({ succeeded: true, failedConditions: [] });
    expect(keys(await until(client.scan().toArray()))).toEqual(["b"]);
    const refused = await until(
      client.conditionalBatch({
        conditions: [
          { key: "b", version: done.revision },
          { key: "b", absent: true },
        ],
        mutations: [{ delete: "b" }],
      }),
    );
    expect(refused.succeeded).toBe(false);
    expect(refused.failedConditions).toContain(1);
    expect(keys(await until(client.scan().toArray()))).toEqual(["b"]);
  });

  test("keys of two Regions: an error that names two, and nothing is sent", async () => {
    const { client, cluster, failure } = await scene({ splitKeys: ["m"] });
    const error = await failure(
      client.conditionalBatch({ mutations: [{ put: "apple", value: "1" }, { delete: "zebra" }] }),
    );
    expect(error).toMatchObject({
      code: "RDB_INVALID_ARGUMENT",
      message: expect.stringMatching(/apple.*zebra/) as string,
    });
    expect(cluster.stores.flatMap((store) => store.requests)).toEqual([]);
  });
});

describe("a conditional batch and an old map", () => {
  test("keys that have come to lie in one Region are accepted", async () => {
    const { client, cluster, until } = await scene({ splitKeys: ["m"] });
    const [left, right] = cluster.regions;
    cluster.regions = [
      {
        ...(left as Region),
        endKey: (right as Region).endKey,
        epoch: { confVer: 1, version: 2 },
      },
    ];
    const done = await until(
      client.conditionalBatch({
        mutations: [
          { put: "apple", value: "1" },
          { put: "zebra", value: "2" },
        ],
      }),
    );
    expect(done.succeeded).toBe(true);
  });
});

describe("scan", () => {
  async function filled(splitKeys: string[] = ["d", "k", "r"]) {
    const made = await scene({ splitKeys });
    const letters = "abcdefghijklmnopqrstuvwxyz".split("");
    await made.until(made.client.batchPut(letters.map((key) => ({ key, value: key.toUpperCase() }))));
    for (const store of made.cluster.stores) {
      store.requests.length = 0;
    }
    return { ...made, letters };
  }

  test("pages across Regions, in both directions", async () => {
    const { client, until, letters } = await filled();
    expect(keys(await until(client.scan({ pageSize: 3 }).toArray()))).toEqual(letters);
    expect(keys(await until(client.scanReverse({ pageSize: 3 }).toArray()))).toEqual(letters.toReversed());
  });

  test("asks for nothing more once a full page ends where the range does, at a Region's edge", async () => {
    const { client, cluster, until } = await filled();
    const range = { start: "k", end: "n", pageSize: 3 };
    const requestCount = (): number => cluster.stores.flatMap((store) => store.requests).length;
    expect(keys(await until(client.scanReverse(range).toArray()))).toEqual(["m", "l", "k"]);
    expect(requestCount()).toBe(1);
    expect(keys(await until(client.scan({ start: "o", end: "q\0", pageSize: 3 }).toArray()))).toEqual([
      "o",
      "p",
      "q",
    ]);
    expect(requestCount()).toBe(2);
  });

  test("keeps to prefix, start, end and limit", async () => {
    const { client, until } = await filled();
    await until(client.put("c1", "x"));
    expect(keys(await until(client.scan({ prefix: "c" }).toArray()))).toEqual(["c", "c1"]);
    expect(keys(await until(client.scan({ start: "j", end: "m" }).toArray()))).toEqual(["j", "k", "l"]);
    expect(keys(await until(client.scanReverse({ start: "j", end: "m" }).toArray()))).toEqual([
      "l",
      "k",
      "j",
    ]);
    expect(keys(await until(client.scan({ start: "y" }).toArray()))).toEqual(["y", "z"]);
    expect(keys(await until(client.scan({ limit: 7, pageSize: 2 }).toArray()))).toHaveLength(7);
    expect(keys(await until(client.scan({ start: "d", end: "d" }).toArray()))).toEqual([]);
    const [row] = await until(client.scan({ keysOnly: true, limit: 1 }).toArray());
    expect(row?.value).toHaveLength(0);
  });

  test("goes on across a split that happens under way", async () => {
    const { client, cluster, until, letters } = await filled([]);
    const seen: string[] = [];
    const walk = async (): Promise<void> => {
      for await (const row of client.scan({ pageSize: 4 })) {
        seen.push(row.keyText());
        if (row.keyText() === "f") {
          cluster.split("p");
          cluster.split("i");
        }
      }
    };
    await until(walk());
    expect(seen).toEqual(letters);
  });

  test("fetches one page ahead and no more, and nothing before it is iterated", async () => {
    const { client, cluster, clock, until } = await filled();
    const requestCount = (): number => cluster.stores.reduce((sum, store) => sum + store.requests.length, 0);
    const pages = client.scan({ pageSize: 2 }).pages();
    await clock.advance(10);
    expect(requestCount()).toBe(0);
    await until(pages.next());
    await clock.advance(50);
    expect(requestCount()).toBe(2);
    await until(pages.next());
    await clock.advance(50);
    expect(requestCount()).toBe(3);
    await until(pages.return());
    await clock.advance(50);
    expect(requestCount()).toBe(3);
  });

  test("a page ahead that nobody wants any more is given up", async () => {
    const { client, cluster, clock, until } = await filled(["m"]);
    const pages = client.scan({ pageSize: 1_000 }).pages();
    cluster.moveLeader("z", undefined);
    await until(pages.next());
    await clock.advance(100);
    await until(pages.return());
    const requestCount = (): number => cluster.stores.reduce((sum, store) => sum + store.requests.length, 0);
    await clock.advance(10);
    const before = requestCount();
    await clock.advance(3_000);
    expect(requestCount()).toBe(before);
  });

  test("a limit is not overshot by the page ahead", async () => {
    const { client, cluster, until } = await filled();
    await until(client.scan({ limit: 2, pageSize: 2 }).toArray());
    expect(cluster.stores.flatMap((store) => store.requests)).toHaveLength(1);
  });

  test("fails where the failing page would come", async () => {
    const { client, cluster, until } = await filled(["m"]);
    cluster.moveLeader("z", undefined);
    const seen: string[] = [];
    const walk = async (): Promise<unknown> => {
      try {
        for await (const row of client.scan({ deadlineMs: 300 })) {
          seen.push(row.keyText());
        }
      } catch (error) {
        return error;
      }
      return undefined;
    };
    expect(await until(walk())).toMatchObject({ code: "RDB_DEADLINE_EXCEEDED" });
    expect(seen.at(-1)).toBe("l");
  });
});

describe("deleteRange", () => {
  test("reaches every Region of the range, and nothing else", async () => {
    const { client, until } = await scene({ splitKeys: ["d", "k"] });
    await until(client.batchPut("abcdefghijklm".split("").map((key) => ({ key, value: "x" }))));
    expect(await until(client.deleteRange({ start: "b", end: "l" }))).toMatchObject({ regionCount: 3 });
    expect(keys(await until(client.scan().toArray()))).toEqual(["a", "l", "m"]);
    await until(client.put("lx", "x"));
    expect(await until(client.deleteRange({ start: "", end: "b" }))).toMatchObject({ regionCount: 1 });
    await until(client.put("a", "x"));
    expect(await until(client.deleteRange({ prefix: "l" }))).toMatchObject({ regionCount: 1 });
    expect(keys(await until(client.scan().toArray()))).toEqual(["a", "m"]);
    expect(await until(client.deleteRange({ start: "", end: "" }))).toMatchObject({ regionCount: 3 });
    expect(await until(client.scan().toArray())).toEqual([]);
    expect(await until(client.deleteRange({ start: "c", end: "c" }))).toMatchObject({ regionCount: 0 });
  });

  test("a split under way is followed", async () => {
    const { client, cluster, until } = await scene();
    await until(client.batchPut("abcxyz".split("").map((key) => ({ key, value: "x" }))));
    cluster.split("m");
    cluster.isPdUp = false;
    expect(await until(client.deleteRange({ start: "b", end: "y" }))).toMatchObject({ regionCount: 2 });
    expect(keys(await until(client.scan().toArray()))).toEqual(["a", "y", "z"]);
  });

  test("a failure says from where on", async () => {
    const { client, cluster, failure, until } = await scene({ splitKeys: ["m"] });
    await until(client.batchPut("az".split("").map((key) => ({ key, value: "x" }))));
    cluster.moveLeader("z", undefined);
    const error = await failure(client.deleteRange({ start: "", end: "" }, { deadlineMs: 300 }));
    expect(error).toMatchObject({
      code: "RDB_UNDETERMINED_RESULT",
      details: { remainingStart: utf8("m"), remainingEnd: utf8("") },
    });
  });
});

describe("what breaks a rule is refused before anything is sent", () => {
  const longKey = "k".repeat(limits.keyMaxBytes + 1);
  const longValue = new Uint8Array(limits.valueMaxBytes + 1);
  const manyKeys = Array.from({ length: limits.batchMaxCount + 1 }, (_, id) => `k${id}`);
  const cases: [name: string, field: string, limit: RegExp, call: (client: RdbClient) => unknown][] = [
    ["empty key", "key", /empty/, (client) => client.get("")],
    ["long key", "key", /4097 .*keyMaxBytes 4096/, (client) => client.put(longKey, "v")],
    ["long value", "value", /valueMaxBytes 8388608/, (client) => client.put("k", longValue)],
    ["lone surrogate", "key", /surrogates/, (client) => client.get("\ud800")],
    ["key of another type", "key", /number/, (client) => client.get(7 as never)],
    ["too many keys", "keys", /10001 .*batchMaxCount 10000/, (client) => client.batchGet(manyKeys)],
    ["no keys", "keys", /empty/, (client) => client.batchDelete([])],
    [
      "too many bytes",
      "rows",
      /batchMaxBytes 16777216/,
      (client) =>
        client.batchPut(["a", "b", "c"].map((key) => ({ key, value: new Uint8Array(6 * 1024 * 1024) }))),
    ],
    [
      "bad key in a batch",
      "rows[1].key",
      /empty/,
      (client) =>
        client.batchPut([
          { key: "a", value: "" },
          { key: "", value: "" },
        ]),
    ],
    ["start after end", "start", /"b" .*"a"/, (client) => client.scan({ start: "b", end: "a" })],
    ["prefix with start", "prefix", /combined/, (client) => client.scan({ prefix: "a", start: "b" })],
    ["negative limit", "limit", /-1 .*from 1/, (client) => client.scan({ limit: -1 })],
    ["fractional limit", "limit", /1\.5/, (client) => client.scanReverse({ limit: 1.5 })],
    ["large page", "pageSize", /10000/, (client) => client.scan({ pageSize: 10_001 })],
    [
      "unknown readFrom",
      "readFrom",
      /"moon".*nearest/,
      (client) => client.get("k", { readFrom: "moon" as never }),
    ],
    ["deadline of zero", "deadlineMs", /0 .*600000/, (client) => client.get("k", { deadlineMs: 0 })],
    ["deadline too long", "deadlineMs", /600000/, (client) => client.put("k", "v", { deadlineMs: 600_001 })],
    ["deadline not a number", "deadlineMs", /NaN/, (client) => client.put("k", "v", { deadlineMs: NaN })],
    [
      "two expectations",
      "expect",
      /exactly one/,
      (client) => client.compareAndSwap("k", { version: 1, absent: true } as never, "v"),
    ],
    ["no expectation", "expect", /exactly one/, (client) => client.compareAndDelete("k", {} as never)],
    [
      "expected version zero",
      "expect.version",
      />= 1/,
      (client) => client.compareAndDelete("k", { version: 0 }),
    ],
    ["no mutations", "mutations", /empty/, (client) => client.conditionalBatch({ mutations: [] })],
    [
      "half a condition",
      "conditions[0]",
      /exactly one/,
      (client) =>
        client.conditionalBatch({ conditions: [{ key: "k" } as never], mutations: [{ delete: "k" }] }),
    ],
    ["half a range", "start", /both/, (client) => client.deleteRange({ start: "a" })],
  ];

  test.each(cases)("%s", async (_name, field, message, call) => {
    const { client, cluster, clock } = await scene();
    const attempt = async (): Promise<unknown> => call(client);
    const error = await attempt().catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "RDB_INVALID_ARGUMENT",
      details: { field },
      message: expect.stringMatching(message) as string,
    });
    expect((error as Error).message).toContain(field);
    await clock.advance(10);
    expect(cluster.stores.flatMap((store) => store.requests)).toEqual([]);
  });

  test("the largest that is allowed passes", async () => {
    const { client, until } = await scene();
    await until(client.put("k".repeat(limits.keyMaxBytes), new Uint8Array(limits.valueMaxBytes)));
    const last = "k".repeat(limits.keyMaxBytes);
    expect(await until(client.scan({ start: last, pageSize: 1 }).toArray())).toHaveLength(1);
  });

  test("connect names what is wrong with its options", async () => {
    const refused = (connect: object) =>
      scene({ connect }).then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(await refused({ pd: [] })).toMatchObject({ details: { field: "pd" } });
    expect(await refused({ pd: "nowhere" })).toMatchObject({ code: "RDB_INVALID_ARGUMENT" });
    expect(await refused({ deadlineMs: -1 })).toMatchObject({ details: { field: "deadlineMs" } });
    expect(await refused({ readFrom: "x" })).toMatchObject({ details: { field: "readFrom" } });
  });
});

test("one call costs one round trip, and one stream serves all", async () => {
  const { client, clock, until } = await scene();
  await until(client.get("k"));
  const startedMs = clock.monotonicMs();
  await until(Promise.all(Array.from({ length: 500 }, (_, id) => client.put(`k${id}`, "v"))));
  expect(clock.monotonicMs() - startedMs).toBeCloseTo(2 * LATENCY_MS, 5);
});
