import { create } from "@bufbuild/protobuf";
import { MiB, assert, keyAfter, limits, storeId, regionId, peerId, systemClock } from "@flaredb/rdb-base";
import type { Region } from "@flaredb/rdb-base";
import { type KvResponse, ScanRequestSchema } from "@flaredb/rdb-proto";
import { type MemoryEngine, WritePart, encodeValue } from "@flaredb/rdb-storage";
import { describe, expect, test } from "vitest";
import { testEngine } from "../testing/index.ts";
import { epochNotMatch } from "./responses.ts";
import { type ReadScope, serveBatchGet, serveGets, serveScan } from "./serve-read.ts";

const region: Region = {
  id: regionId(1),
  startKey: new Uint8Array(0),
  endKey: new Uint8Array(0),
  epoch: { confVer: 1, version: 1 },
  peers: [{ id: peerId(1), storeId: storeId(1), role: "Voter" }],
};
const keyOf = (place: number): Uint8Array => new TextEncoder().encode(`k${String(place).padStart(4, "0")}`);

function scopeOver(
  rows: number,
  valueBytes: number,
): { scope: ReadScope; state: { revision: number; installCount: number }; engine: MemoryEngine } {
  const engine = testEngine(systemClock);
  const part = new WritePart();
  for (let place = 0; place < rows; place++) {
    part.put("data", keyOf(place), encodeValue(place + 1, new Uint8Array(valueBytes)));
  }
  engine.submit(part);
  const state = { revision: rows, installCount: 0 };
  const scope: ReadScope = {
    engine,
    region: () => region,
    served: () => {},
    epochNotMatch: (version) => epochNotMatch(region, version),
    revision: () => state.revision,
    installCount: () => state.installCount,
    readFailed: (error) => {
      throw error;
    },
  };
  return { scope, state, engine };
}

test.each([
  ["get", serveOneGet],
  ["batchGet", (scope: ReadScope) => serveBatchGet(scope, [keyOf(0)])],
  ["scan", (scope: ReadScope) => serveScan(scope, create(ScanRequestSchema))],
])("a %s during which a snapshot replaced all rows is refused: it may have missed some", async (_, serve) => {
  const { scope, state } = scopeOver(1, 1);
  const asked = serve(scope);
  state.installCount++;
  const answer = await asked;
  expect(answer.case === "error" && answer.value.reason.case).toBe("serverIsBusy");
});

async function serveOneGet(scope: ReadScope): Promise<KvResponse["result"]> {
  const { promise, resolve } = Promise.withResolvers<KvResponse>();
  await serveGets(scope, [{ requestId: 1, key: keyOf(0), respond: resolve }]);
  return (await promise).result;
}

describe("serveGets", () => {
  test("a key that a write removed in between is absent at the revision of the answer", async () => {
    const { scope, state, engine } = scopeOver(1, 1);
    const answers: KvResponse[] = [];
    const removing: ReadScope = {
      ...scope,
      engine: Object.assign(Object.create(engine) as MemoryEngine, {
        get: engine.get.bind(engine),
        getMany: () => {
          const part = new WritePart();
          part.delete("data", keyOf(0));
          engine.submit(part);
          state.revision = 2;
          return Promise.resolve([undefined]);
        },
      }),
    };
    await serveGets(removing, [{ requestId: 1, key: keyOf(0), respond: (answer) => answers.push(answer) }]);
    expect(answers[0]?.result).toMatchObject({ case: "get", value: { found: false, revision: 2n } });
  });
});

describe("reads of more than one read of the engine takes", () => {
  const keys = Array.from({ length: 50 }, (_, place) => keyOf(place));

  test("are all answered, each with its own value", async () => {
    const { scope, engine } = scopeOver(50, 1_000);
    await engine.flush();
    const answers: KvResponse[] = [];
    const respond = (answer: KvResponse): void => void answers.push(answer);
    await serveGets(
      scope,
      keys.map((key, place) => ({ requestId: place, key, respond })),
    );
    const versions = answers.map(({ result }) => result.case === "get" && result.value.version);
    expect(versions).toEqual(keys.map((_, place) => BigInt(place + 1)));
    const batch = await serveBatchGet(scope, keys);
    expect(batch.case === "batchGet" && batch.value.rows.map((row) => row.version)).toEqual(versions);
  });
});

test("gets that a later read of the engine answers are refused once the peer left: its rows go", async () => {
  const { scope, engine } = scopeOver(50, 1_000);
  // What is not written yet is in memory, and takes no read.
  await engine.flush();
  const answers: KvResponse[] = [];
  const respond = (answer: KvResponse): void => void answers.push(answer);
  // From the first answer on the peer is no more, as when its removal is applied between two reads.
  const left: ReadScope = { ...scope, region: () => (answers.length === 0 ? region : undefined) };
  await serveGets(
    left,
    Array.from({ length: 50 }, (_, place) => ({ requestId: place, key: keyOf(place), respond })),
  );
  const reasons = answers.map(({ result }) => (result.case === "error" ? result.value.reason.case : "get"));
  expect(new Set(reasons)).toEqual(new Set(["get", "epochNotMatch"]));
  expect(reasons.indexOf("epochNotMatch")).toBe(reasons.lastIndexOf("get") + 1);
});

describe("a read that fails", () => {
  function failing(error?: Error): { scope: ReadScope; told: unknown[] } {
    const { scope, engine } = scopeOver(2, 1);
    const told: unknown[] = [];
    if (error === undefined) {
      const part = new WritePart();
      part.put("data", keyOf(0), new Uint8Array([9]));
      engine.submit(part);
    }
    const broken = Object.assign(Object.create(engine) as MemoryEngine, {
      get: engine.get.bind(engine),
      getMany: () => Promise.reject(error),
    });
    const readFailed = (problem: unknown): void => void told.push(problem);
    return { scope: { ...scope, readFailed, engine: error === undefined ? engine : broken }, told };
  }

  async function reasonsOf(scope: ReadScope): Promise<(string | undefined)[]> {
    const answers: KvResponse[] = [];
    const gets = [0, 1].map((place) => ({
      ...{ requestId: place, key: keyOf(place) },
      respond: (answer: KvResponse) => answers.push(answer),
    }));
    await serveGets(scope, gets);
    return answers.map(({ result }) =>
      result.case === "error" ? result.value.reason.case : (result.case as string),
    );
  }

  test("on a row that is no row is refused, and the other gets of its batch are served", async () => {
    const { scope, told } = failing();
    expect(await reasonsOf(scope)).toEqual(["dataCorrupt", "get"]);
    expect(told).toMatchObject([{ code: "RDB_DATA_CORRUPT" }]);
  });

  test("for another reason than its rows may be tried again, and says nothing of damage", async () => {
    const { scope, told } = failing(new Error("EMFILE: too many open files"));
    expect(await reasonsOf(scope)).toEqual(["serverIsBusy", "serverIsBusy"]);
    expect(told).toMatchObject([{ message: expect.stringContaining("EMFILE") as string }]);
    const batch = await serveBatchGet(scope, [keyOf(0)]);
    expect(batch.case === "error" && batch.value.reason.case).toBe("serverIsBusy");
  });
});

test("a page of keys alone ends early where their values, which are read with them, are large", async () => {
  const { scope } = scopeOver(40, MiB);
  const page = await serveScan(scope, create(ScanRequestSchema, { keysOnly: true }));
  assert(page.case === "scan", "a scan is answered");
  expect(page.value.hasMore).toBe(true);
  expect(page.value.rows.length).toBeLessThan(32);
  const startKey = keyAfter(page.value.rows.at(-1)?.key ?? new Uint8Array(0));
  const rest = await serveScan(scope, create(ScanRequestSchema, { keysOnly: true, startKey }));
  assert(rest.case === "scan", "a scan is answered");
  expect(rest.value.hasMore).toBe(false);
  expect(page.value.rows.length + rest.value.rows.length).toBe(40);
});

describe("serveBatchGet", () => {
  test("finds the keys that there are, in the order asked", async () => {
    const { scope } = scopeOver(200, 10);
    const result = await serveBatchGet(scope, [keyOf(150), keyOf(999), keyOf(3)]);
    expect(result.case === "batchGet" && result.value.rows.map((row) => row.version)).toEqual([151n, 4n]);
  });

  test("a write in between: all keys are read again, at one revision", async () => {
    const { scope, state, engine } = scopeOver(200, 10);
    const keys = Array.from({ length: 200 }, (_, place) => keyOf(place));
    const answer = serveBatchGet(scope, keys);
    const part = new WritePart();
    part.put("data", keyOf(0), encodeValue(201, new Uint8Array(1)));
    part.put("data", keyOf(199), encodeValue(202, new Uint8Array(1)));
    engine.submit(part);
    state.revision = 202;
    const result = await answer;
    expect(result.case).toBe("batchGet");
    if (result.case === "batchGet") {
      expect(result.value.revision).toBe(202n);
      expect([result.value.rows[0]?.version, result.value.rows[199]?.version]).toEqual([201n, 202n]);
    }
  });

  test("an answer over batchMaxBytes is refused before all of it is read", async () => {
    const { scope } = scopeOver(400, 100_000);
    const keys = Array.from({ length: 400 }, (_, place) => keyOf(place));
    const result = await serveBatchGet(scope, keys);
    expect(result.case).toBe("error");
    expect(result.case === "error" && result.value.reason.case).toBe("invalidArgument");
    expect(result.case === "error" && result.value.message).toContain(String(limits.batchMaxBytes));
  });
});
