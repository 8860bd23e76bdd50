import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestPd } from "../../testing/test-pd.ts";
import { LostQuorum } from "../../testing/lost-quorum.ts";
import { fourStores } from "../../testing/pd-cluster.ts";
import { RdbError } from "@flaredb/rdb-base";
import type { DataReader } from "../../data/data-reader.ts";
import type { DataWriter } from "../../data/data-writer.ts";
import { notLeaderError } from "../../member/member-errors.ts";
import { type ApiAnswer, ApiClient, type ApiRequest, type Operation } from "../testing/api-client.ts";
import { HttpServer } from "../http-server.ts";
import { BODY_MAX_BYTES } from "./admin-api.ts";

// Every operation and every status that the OpenAPI document names is seen once, against a PD over HTTP.

const seen = new Set<string>();
const closing: (() => Promise<void>)[] = [];
let pd: TestPd;
let api: ApiClient;

beforeAll(async () => {
  // Nobody but the tests plans anything.
  const placement = { leaderLimit: 0, regionLimit: 0, replicaLimit: 0, hotRegionLimit: 0 };
  pd = await TestPd.start({ initialSplitKeys: ["m\\xff"], placement });
  closing.push(() => pd.close());
  await fourStores(pd);
  api = await ApiClient.connect(pd.httpAddress, seen);
});
afterAll(() => Promise.all(closing.map((close) => close())));

/** Input that the schemas take, where an operation has any. */
const samples: Readonly<Record<string, Omit<ApiRequest, "id">>> = {
  setStoreLabels: { body: { labels: { zone: "a" } } },
  setStoreLimits: { body: { addLimit: 1 } },
  getRegionByKey: { query: { key: "a" } },
  splitRegion: { body: { keys: ["c"] } },
  mergeRegion: { body: { targetRegionId: 2 } },
  scatterRegions: { body: { regionIds: [999] } },
  addOperator: { body: { kind: "add-peer", regionId: 999, storeId: 4 } },
  pauseScheduler: { body: {} },
  setPlacementConfig: { body: { values: { replicas: 3 } } },
  putRow: { body: { key: "a", value: "b" } },
  deleteRow: { query: { key: "a" } },
  addMember: { body: { name: "pd-2", address: "127.0.0.1:7402" } },
  planRecovery: { body: { lostStoreIds: [999] } },
  beginRecovery: { body: { lostStoreIds: [999], fingerprint: "0" } },
};

/** Ids that nothing has. */
const unknownParams = {
  storeId: 999,
  regionId: 999,
  operatorId: 999,
  memberId: 999,
  recoveryId: 999,
  name: "nobody",
};
const someParams = {
  storeId: 1,
  regionId: 1,
  operatorId: 1,
  memberId: 1,
  recoveryId: 1,
  name: "balance-leader",
};

function sample(operation: Operation): ApiRequest {
  return { params: someParams, ...samples[operation.operationId], id: operation.operationId };
}

/** What a refusal must not change. */
async function state(): Promise<unknown> {
  const ids = ["listStores", "listRegions", "listOperators", "getPlacementConfig", "listMembers"];
  const answers = await Promise.all(ids.map((id) => api.call({ id })));
  return JSON.stringify(answers.map(({ body }) => body)).replaceAll(/"(lastHeartbeat|reported)Ms":\d+/g, "");
}

/** As `call`, as often as PD is just fetching ids. */
async function callWhenReady(request: ApiRequest): Promise<ApiAnswer> {
  for (;;) {
    const answer = await api.call(request);
    if (answer.status !== 503) {
      return answer;
    }
  }
}

/** The operator that the request begins, which is ended then. */
async function begun(request: ApiRequest): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await callWhenReady(request);
  expect([request.id, status]).toEqual([request.id, 202]);
  const [operator = body] = (body["operators"] as (typeof body)[] | undefined) ?? [];
  const params = { operatorId: Number(operator["id"]) };
  expect((await api.call({ id: "getOperator", params })).body).toMatchObject({ id: operator["id"] });
  expect((await api.call({ id: "cancelOperator", params })).body).toMatchObject({
    state: "cancelled",
    endReason: "by-admin",
  });
  return operator;
}

describe("every status of every operation", () => {
  test("what a Store is told to do", async () => {
    // One that is empty would be gone for good at once.
    const store = { storeId: 3 };
    expect(await api.call({ id: "listStores" })).toMatchObject({
      body: { stores: [{ id: 1, state: "up", regionCount: 2 }, {}, {}, { id: 4, regionCount: 0 }] },
    });
    expect((await api.call({ id: "decommissionStore", params: store })).body).toMatchObject({ id: 3 });
    expect(await api.call({ id: "decommissionStore", params: store })).toMatchObject({
      status: 409,
      body: { code: "RDB_ALREADY_EXISTS" },
    });
    expect((await api.call({ id: "cancelDecommission", params: store })).status).toBe(200);
    expect(await api.call({ id: "cancelDecommission", params: store })).toMatchObject({
      status: 400,
      body: { detail: "store 3 is not being decommissioned" },
    });
    expect((await api.call({ id: "evictLeaders", params: store })).body).toMatchObject({
      evictsLeaders: true,
    });
    expect((await api.call({ id: "stopEvictingLeaders", params: store })).body).toMatchObject({
      evictsLeaders: false,
    });
    const labels = { zone: "a" };
    const changed = await api.call({ id: "setStoreLabels", params: store, body: { labels } });
    expect(changed.body).toMatchObject({ labels });
    expect((await api.call({ id: "getStore", params: store })).body).toEqual(changed.body);
    const limited = await api.call({ id: "setStoreLimits", params: store, body: { addLimit: 1 } });
    expect(limited.body["limits"]).toMatchObject({ addLimit: 1, isOwnAddLimit: true, removeLimit: 15 });
    const none = { addLimit: null, removeLimit: 2 };
    const reset = await api.call({ id: "setStoreLimits", params: store, body: none });
    expect(reset.body["limits"]).toMatchObject({ addLimit: 15, isOwnAddLimit: false, removeLimit: 2 });
  });

  test("the cluster and its health", async () => {
    expect((await api.call({ id: "getLive" })).body).toEqual({ status: "live" });
    expect((await api.call({ id: "getReady" })).body).toMatchObject({ status: "serving", memberId: 1 });
    expect((await api.call({ id: "getCluster" })).body).toMatchObject({
      clusterId: String(pd.clusterId),
      regionCount: 2,
      members: [{ id: 1, isLeader: true, isUp: true }],
    });
  });

  test("Regions are found by place, id and key", async () => {
    const { body: page } = await api.call({ id: "listRegions" });
    expect(page).toMatchObject({
      regions: [
        {
          id: 1,
          startKey: "",
          startKeyHex: "",
          endKey: "m\\xff",
          endKeyHex: "6dff",
          leader: { role: "voter" },
        },
        { id: 2, startKey: "m\\xff", endKey: "" },
      ],
      nextKey: null,
    });
    const [left, right] = page["regions"] as readonly object[];
    expect((await api.call({ id: "getRegion", params: { regionId: 1 } })).body).toEqual(left);
    for (const query of [{ key: "m\\xff" }, { keyHex: "6dff" }, { keyHex: "6DFF00" }]) {
      expect((await api.call({ id: "getRegionByKey", query })).body).toEqual(right);
    }
    expect((await api.call({ id: "getRegionByKey", query: {} })).status).toBe(400);
    const siblings = await api.call({ id: "getSiblings", params: { regionId: 1 } });
    expect(siblings.body).toEqual({ left: null, right });
    expect((await api.call({ id: "checkRegions" })).body).toEqual({
      isSound: true,
      regionCount: 2,
      flawCount: 0,
      flaws: [],
    });
    expect((await api.call({ id: "listHotRegions" })).body).toEqual({ by: "writtenBytes", regions: [] });
    const peers = await api.call({ id: "getRegionPeers", params: { regionId: 1 } });
    // The Stores of this test have no HTTP endpoint.
    expect(peers.body["peers"]).toContainEqual(
      expect.objectContaining({
        ...{ storeId: 1, role: "voter", lastIndex: 0, asLeaderSees: null },
        failure: "Store 1 has not said where its HTTP endpoint is",
      }),
    );
    const explained = await api.call({ id: "explainRegion", params: { regionId: 1 } });
    expect(explained.body["explanations"]).toContainEqual(
      expect.objectContaining({ source: "balance-region" }),
    );
  });

  test("operators of every kind begin and can be ended", async () => {
    const regionId = 1;
    const { leader } = (await api.call({ id: "getRegion", params: { regionId } })).body as {
      leader: { storeId: number };
    };
    const other = leader.storeId === 1 ? 2 : 1;
    for (const wish of [
      { kind: "add-peer", regionId, storeId: 4 },
      { kind: "remove-peer", regionId, storeId: other },
      { kind: "move-peer", regionId, fromStoreId: other, toStoreId: 4 },
      { kind: "transfer-leader", regionId, toStoreId: other },
      { kind: "split", regionId, keysHex: ["61"] },
      { kind: "split", regionId },
      { kind: "merge", regionId },
    ]) {
      const operator = await begun({ id: "addOperator", body: wish });
      expect(operator).toMatchObject({ kind: wish.kind, origin: "admin", regionId });
    }
    const scattered = await api.call({ id: "addOperator", body: { kind: "scatter", regionIds: [1, 2] } });
    for (const { id } of scattered.body["operators"] as readonly { id: number }[]) {
      await api.call({ id: "cancelOperator", params: { operatorId: id } });
    }
    const twice = { kind: "add-peer", regionId, storeId: other };
    expect(await callWhenReady({ id: "addOperator", body: twice })).toMatchObject({
      status: 409,
      body: { code: "RDB_ALREADY_EXISTS" },
    });
    expect((await api.call({ id: "listOperators" })).body).toEqual({ operators: [] });
    const history = await api.call({ id: "listOperatorHistory", query: { regionId, limit: 2 } });
    expect(history.body["operators"]).toHaveLength(2);
  });

  test("commands to Regions", async () => {
    const params = { regionId: 1 };
    const split = await begun({ id: "splitRegion", params, body: { keys: ["c", "a"] } });
    expect(split["steps"]).toMatchObject([{ kind: "split" }]);
    await begun({ id: "mergeRegion", params, body: { targetRegionId: 2 } });
    const both = await api.call({ id: "splitRegion", params, body: { keys: ["c"], keysHex: ["63"] } });
    expect(both.body["errors"]).toEqual([{ field: "keysHex", message: "and keys exclude each other" }]);
    const odd = await api.call({ id: "splitRegion", params, body: { keys: ["c\\"] } });
    expect(odd.body["errors"]).toMatchObject([{ field: "keys.0" }]);
    const outside = await api.call({ id: "splitRegion", params, body: { keys: ["z"] } });
    expect(outside).toMatchObject({ status: 400, body: { detail: expect.stringContaining("does not cut") } });
    const { body } = await callWhenReady({ id: "scatterRegions", body: { regionIds: [1, 2] } });
    for (const { id } of body["operators"] as readonly { id: number }[]) {
      await api.call({ id: "cancelOperator", params: { operatorId: id } });
    }
    expect((await api.call({ id: "scatterRegions", body: { regionIds: [999] } })).status).toBe(404);
    expect((await callWhenReady({ id: "checkReplicas", params })).body).toEqual({ verifiedIndexBefore: 0 });
  });

  test("schedulers and settings", async () => {
    const params = { name: "balance-leader" };
    const { body } = await api.call({ id: "listSchedulers" });
    expect(body["schedulers"]).toContainEqual(expect.objectContaining({ ...params, isPaused: false }));
    const paused = await api.call({ id: "pauseScheduler", params, body: { durationMs: 60_000 } });
    expect(paused.body).toMatchObject({ isPaused: true, pausedUntilMs: expect.any(Number) });
    expect((await api.call({ id: "resumeScheduler", params })).body).toMatchObject({ isPaused: false });
    expect(await api.call({ id: "resumeScheduler", params })).toMatchObject({
      status: 400,
      body: { detail: "balance-leader is not paused" },
    });
    const safe = { name: "joint-state" };
    expect((await api.call({ id: "pauseScheduler", params: safe, body: {} })).status).toBe(400);
    const values = { mergeLimit: 3, mergeEnabled: false, locationLabels: ["rack", "host"] };
    const changed = await api.call({ id: "setPlacementConfig", body: { values } });
    expect(changed.body["settings"]).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: "mergeLimit", value: "3", defaultValue: "8" }),
        expect.objectContaining({ name: "locationLabels", value: "rack,host" }),
      ]),
    );
    expect((await api.call({ id: "getPlacementConfig" })).body).toEqual(changed.body);
    const half = await api.call({
      id: "setPlacementConfig",
      body: { values: { mergeLimit: 4, replicas: 0 } },
    });
    expect(half).toMatchObject({ status: 400, body: { detail: expect.stringContaining("replicas") } });
    expect((await api.call({ id: "getPlacementConfig" })).body).toEqual(changed.body);
  });

  test("Regions that lost their quorum", async () => {
    const scene = await LostQuorum.start();
    closing.push(() => scene.close());
    const own = await ApiClient.connect(scene.pd.httpAddress, seen);
    const wish = { lostStoreIds: scene.lostStoreIds };
    const plan = await own.call({ id: "planRecovery", body: wish });
    expect(plan.body).toMatchObject({
      steps: [{ regionId: 1, storeId: 3, state: "pending" }, { regionId: 2 }],
      lostRanges: [],
      waiting: [],
    });
    const another = await own.call({ id: "beginRecovery", body: { ...wish, fingerprint: "another" } });
    expect(another).toMatchObject({ status: 409, body: { code: "RDB_EPOCH_NOT_MATCH" } });
    const fingerprint = String(plan.body["fingerprint"]);
    const begun = await own.call({ id: "beginRecovery", body: { ...wish, fingerprint } });
    expect([begun.status, begun.body]).toMatchObject([202, { state: "running", lostStoreIds: [1, 2] }]);
    const params = { recoveryId: Number(begun.body["id"]) };
    const cancelled = await own.call({ id: "cancelRecovery", params });
    expect(cancelled.body).toMatchObject({ state: "cancelled", steps: [{ state: "cancelled" }, {}] });
    expect((await own.call({ id: "listRecoveries" })).body).toEqual({ recoveries: [cancelled.body] });
    expect((await own.call({ id: "cancelRecovery", params })).status).toBe(400);
  });

  test("members of PD", async () => {
    const added = { name: "pd-2", address: "127.0.0.1:7402" };
    expect((await api.call({ id: "transferPdLeader", params: { memberId: 1 } })).body).toEqual({
      toMemberId: 1,
    });
    expect((await api.call({ id: "listMembers" })).body).toMatchObject({
      members: [{ id: 1, isLeader: true }],
    });
    const { status, body } = await api.call({ id: "addMember", body: added });
    expect([status, body]).toMatchObject([201, { ...added, isLearner: true }]);
    expect((await api.call({ id: "addMember", body: added })).status).toBe(409);
    const params = { memberId: Number(body["id"]) };
    expect((await api.call({ id: "removeMember", params })).body).toEqual({
      id: body["id"],
      isRemoved: true,
    });
  });

  test("what the cluster is asked for", async () => {
    expect((await api.call({ id: "getFlows" })).body).toEqual({ points: expect.any(Array) });
    const { body } = await api.call({
      id: "getHeatMap",
      query: { kind: "readKeys", startKey: "c", endKey: "p" },
    });
    const edges = body["edges"] as readonly { readonly key: string }[];
    expect([body["kind"], edges[0]?.key, edges.at(-1)?.key]).toEqual(["readKeys", "c", "p"]);
  });

  test("rows of the users, of several the beginning of each", async () => {
    const value = new TextEncoder().encode("v".repeat(5_000));
    const rows = [{ key: new TextEncoder().encode("city/a"), value, version: 7 }];
    const scans: object[] = [];
    const server = new HttpServer({ host: "127.0.0.1", port: 0 });
    closing.push(() => server.close());
    await server.listen();
    const scan: DataReader["scan"] = (range) => {
      scans.push(range);
      // The Region of the first keys holds none of them.
      const isEmpty = scans.length === 1;
      const nextKey = isEmpty ? new TextEncoder().encode("city/9") : new Uint8Array([0xff]);
      return Promise.resolve({ rows: isEmpty ? [] : rows, nextKey });
    };
    server.show(followerOf(0, scan));
    const reader = await ApiClient.connect(server.address, seen);
    const page = await reader.call({ id: "listData", query: { prefix: "city/" } });
    expect(page.body).toMatchObject({
      rows: [{ key: "city/a", version: 7, sizeBytes: 5_000 }],
      nextKeyHex: "ff",
    });
    const whole = await reader.call({ id: "listData", query: { startKey: "city/a", limit: 1 } });
    const sizes = [page, whole].map(({ body }) => {
      const [row] = body["rows"] as readonly { readonly valueBase64: string }[];
      return Buffer.from(row?.valueBase64 ?? "", "base64").length;
    });
    expect(sizes).toEqual([2_048, 5_000]);
    const key = (text: string): Uint8Array => new TextEncoder().encode(text);
    expect(scans).toEqual([
      { startKey: key("city/"), endKey: key("city0"), limit: 50 },
      { startKey: key("city/9"), endKey: key("city0"), limit: 50 },
      { startKey: key("city/a"), endKey: key(""), limit: 1 },
    ]);
  });

  test("rows are put and deleted where that is allowed, and if they are as expected", async () => {
    for (const { id, body, query } of [
      { ...samples["putRow"], id: "putRow" },
      { ...samples["deleteRow"], id: "deleteRow" },
    ]) {
      expect(await api.call({ id, body, query } as ApiRequest)).toMatchObject({
        status: 403,
        body: { code: "RDB_PERMISSION_DENIED", detail: expect.stringContaining('dataAccess is "read"') },
      });
    }
    const server = new HttpServer({ host: "127.0.0.1", port: 0 });
    closing.push(() => server.close());
    await server.listen();
    const changes: unknown[] = [];
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    const unknown = new RdbError("RDB_UNDETERMINED_RESULT", "the answer did not come");
    const changed = (key: Uint8Array, ...rest: unknown[]) => {
      changes.push([text(key), ...rest]);
      return key.length > 3 ? Promise.reject(unknown) : Promise.resolve({ succeeded: true, version: 8 });
    };
    const dataWriter: DataWriter = {
      isAllowed: true,
      put: (key, value, expectVersion) => changed(key, text(value), expectVersion),
      delete: changed,
    };
    server.show(followerOf(0, undefined, dataWriter));
    const writer = await ApiClient.connect(server.address, seen);
    const put = { key: "a\\x01", value: "größer" };
    expect((await writer.call({ id: "putRow", body: put })).body).toEqual({ succeeded: true, version: 8 });
    await writer.call({ id: "putRow", body: { keyHex: "62", valueHex: "63", expectVersion: 0 } });
    await writer.call({ id: "deleteRow", query: { key: "b", expectVersion: 8 } });
    expect(changes).toEqual([
      ["a\u0001", "größer", undefined],
      ["b", "c", 0],
      ["b", 8],
    ]);
    for (const body of [{ key: "a" }, { value: "b" }, { key: "a", value: "b", valueHex: "63" }]) {
      expect((await writer.call({ id: "putRow", body })).status).toBe(400);
    }
    expect((await writer.call({ id: "putRow", body: { ...put, key: "long" } })).status).toBe(504);
    expect((await writer.call({ id: "deleteRow", query: { key: "long" } })).status).toBe(504);
  });

  test("events are streamed as they happen", async () => {
    const response = await fetch(`http://${pd.httpAddress}/api/v1/events`);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe("retry: 1000\n\n");
    const operator = await begun({ id: "splitRegion", params: { regionId: 1 }, body: {} });
    let text = "";
    while (!text.includes('"state":"cancelled"')) {
      text += (await reader?.read())?.value ?? "";
    }
    await reader?.cancel();
    const events = text.split("\n\n").filter((event) => event.includes(`"id":${String(operator["id"])},`));
    expect(events).toHaveLength(2);
    expect(events[0]).toMatch(/^id: \d+\nevent: operator\ndata: \{"id":\d+,"kind":"split"/);
    seen.add("watchEvents 200");
  });

  test("400 names the field, and nothing is changed", async () => {
    const before = await state();
    for (const { operation } of api.operations()) {
      if ("400" in operation.responses) {
        const { request, field } = wrong(operation);
        const { status, body } = await api.call(request);
        expect([request.id, status, body["code"]]).toEqual([request.id, 400, "RDB_INVALID_ARGUMENT"]);
        expect([request.id, body["errors"]]).toEqual([
          request.id,
          expect.arrayContaining([expect.objectContaining({ field })]),
        ]);
      }
    }
    expect(await state()).toEqual(before);
  });

  test("404 where nothing has the id", async () => {
    for (const { operation } of api.operations()) {
      if ("404" in operation.responses) {
        const answer = await callWhenReady({ ...sample(operation), params: unknownParams });
        expect([operation.operationId, answer.status, answer.body["code"]]).toEqual([
          operation.operationId,
          404,
          "RDB_NOT_FOUND",
        ]);
      }
    }
  });

  test("413 and 415 for bodies", async () => {
    for (const { operation } of api.operations()) {
      if (operation.requestBody !== undefined) {
        const request = sample(operation);
        const large = await api.call({ ...request, body: `"${"x".repeat(BODY_MAX_BYTES)}"` });
        expect([request.id, large.status]).toEqual([request.id, 413]);
        const plain = await api.call({ ...request, headers: { "content-type": "text/plain" } });
        expect([request.id, plain.status]).toEqual([request.id, 415]);
      }
    }
  });

  test("403 for a page of another origin, and for a name that is not loopback's", async () => {
    for (const { operation } of api.operations()) {
      if ("403" in operation.responses) {
        const request = sample(operation);
        const answer = await api.call({ ...request, headers: { origin: "http://evil.example" } });
        expect([request.id, answer.status, answer.body["code"]]).toEqual([
          request.id,
          403,
          "RDB_PERMISSION_DENIED",
        ]);
      }
    }
  });

  test("401 without the token, or with another one", async () => {
    const server = new HttpServer({ host: "127.0.0.1", port: 0, token: "a-token-of-some-length" });
    closing.push(() => server.close());
    await server.listen();
    server.show(followerOf(0));
    const guarded = await ApiClient.connect(server.address, seen);
    for (const { operation } of guarded.operations()) {
      if ("401" in operation.responses) {
        const request = sample(operation);
        const bare = await guarded.call(request);
        const other = await guarded.call({ ...request, headers: { authorization: "Bearer another" } });
        expect([request.id, bare.status, other.status]).toEqual([request.id, 401, 401]);
        expect(bare.headers.get("www-authenticate")).toContain("Bearer");
      }
    }
    const headers = { authorization: "Bearer a-token-of-some-length" };
    expect((await guarded.call({ id: "listStores", headers })).status).toBe(503);
  });

  test.for([
    { who: "names the leader", leaderMemberId: 3, status: 307 },
    { who: "knows no leader", leaderMemberId: 0, status: 503 },
  ])("$status of a member that $who", async ({ leaderMemberId, status }) => {
    const server = new HttpServer({ host: "127.0.0.1", port: 0 });
    closing.push(() => server.close());
    await server.listen();
    server.show(followerOf(leaderMemberId));
    const follower = await ApiClient.connect(server.address, seen);
    for (const { operation, path } of follower.operations()) {
      if (status in operation.responses && operation.security.length > 0) {
        const answer = await follower.call({ ...sample(operation), params: someParams });
        expect([path, answer.status, answer.body["code"]]).toEqual([path, status, "RDB_NOT_LEADER"]);
        if (status === 307) {
          expect(answer.headers.get("location")).toMatch(/^http:\/\/127\.0\.0\.1:7405\/api\/v1\//);
          expect(answer.body["leader"]).toEqual({
            memberId: 3,
            address: "127.0.0.1:7404",
            httpAddress: "127.0.0.1:7405",
          });
        }
      }
    }
    const ready = await follower.call({ id: "getReady" });
    expect(ready.status).toBe(leaderMemberId === 0 ? 503 : 200);
  });
});

test("no documented status was left out", () => {
  const documented = api
    .operations()
    .flatMap(({ operation }) =>
      Object.keys(operation.responses).flatMap((status) =>
        status === "default" ? [] : [`${operation.operationId} ${status}`],
      ),
    );
  expect(documented.filter((each) => !seen.has(each))).toEqual([]);
});

/** A request that the schemas refuse, and the field that is to be named. */
function wrong(operation: Operation): { readonly request: ApiRequest; readonly field: string } {
  const request = sample(operation);
  const parameter = operation.parameters?.[0];
  if (parameter?.in === "path") {
    return { request: { ...request, params: { [parameter.name]: "1 x" } }, field: parameter.name };
  }
  return operation.requestBody === undefined
    ? { request: { ...request, query: { nonsense: 1 } }, field: "nonsense" }
    : { request: { ...request, body: { ...(request.body as object), nonsense: 1 } }, field: "nonsense" };
}

/** Member 2 of three, while another one leads. */
function followerOf(
  leaderMemberId: number,
  scan?: DataReader["scan"],
  dataWriter?: DataWriter,
): Parameters<HttpServer["show"]>[0] {
  const refuse = (): Promise<never> => {
    const members = new Map([[3, { address: "127.0.0.1:7404" }]]);
    return Promise.reject(notLeaderError(2, leaderMemberId, { members } as never));
  };
  const refusing = new Proxy({}, { get: () => refuse }) as never;
  const refuseNow = (): never => {
    throw notLeaderError(2, leaderMemberId, {
      members: new Map([[3, { address: "127.0.0.1:7404" }]]),
    } as never);
  };
  const base = { id: 3, name: "pd-3", address: "127.0.0.1:7404", isLearner: false, isUp: true };
  return {
    get driver(): never {
      throw notLeaderError(2, leaderMemberId, { members: new Map() } as never);
    },
    calls: { pd: refusing, admin: refusing },
    traffic: {
      points: () => refuseNow(),
      heat: () => refuseNow(),
    },
    data: { scan: scan ?? refuse },
    dataWriter: dataWriter ?? { isAllowed: false, put: refuse, delete: refuse },
    group: {
      ...{ memberId: 2, leaderMemberId, appliedIndex: 9, clusterId: 7, isServing: false },
      // It listens on every address: its RPC address says where it is.
      members: () => [{ ...base, httpAddress: "0.0.0.0:7405" }],
    },
  };
}
