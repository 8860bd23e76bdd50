import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FakeStore } from "../../testing/fake-store.ts";
import { TestPd } from "../../testing/test-pd.ts";
import { bootstrapped, registered } from "../../testing/pd-cluster.ts";
import { notLeaderError } from "../../member/member-errors.ts";
import { ApiClient, type ApiRequest, type Operation } from "../testing/api-client.ts";
import { HttpServer } from "../http-server.ts";
import { BODY_MAX_BYTES } from "./admin-api.ts";

// Every operation and every status that the OpenAPI document names is seen once, against a PD over HTTP.

const seen = new Set<string>();
const closing: (() => Promise<void>)[] = [];
let pd: TestPd;
let api: ApiClient;
let fourth: FakeStore;

beforeAll(async () => {
  pd = await TestPd.start({ initialSplitKeys: ["m\\xff"] });
  closing.push(() => pd.close());
  await bootstrapped(pd);
  fourth = await registered(pd, 7413);
  api = await ApiClient.connect(pd.httpAddress, seen);
});
afterAll(() => Promise.all(closing.map((close) => close())));

/** Input that the schemas take, where an operation has any. */
const samples: Readonly<Record<string, Omit<ApiRequest, "id">>> = {
  setStoreLabels: { body: { labels: { zone: "a" } } },
};

/** Ids that nothing has. */
const unknownParams = { storeId: 999, regionId: 999, operatorId: 999, memberId: 999, name: "nobody" };
const someParams = { storeId: 1, regionId: 1, operatorId: 1, memberId: 1, name: "balance-leader" };

function sample(operation: Operation): ApiRequest {
  return { params: someParams, ...samples[operation.operationId], id: operation.operationId };
}

/** What a refusal must not change. */
async function state(): Promise<unknown> {
  const { body: stores } = await api.call({ id: "listStores" });
  return JSON.stringify(stores).replaceAll(/"lastHeartbeatMs":\d+/g, "");
}

describe("every status of every operation", () => {
  test("what a Store is told to do", async () => {
    const store = { storeId: Number(fourth.storeId) };
    expect(await api.call({ id: "listStores" })).toMatchObject({
      body: { stores: [{ id: 1, state: "up", regionCount: 2 }, {}, {}, { id: 4, regionCount: 0 }] },
    });
    expect((await api.call({ id: "decommissionStore", params: store })).body).toMatchObject({ id: 4 });
    expect(await api.call({ id: "decommissionStore", params: store })).toMatchObject({
      status: 409,
      body: { code: "RDB_ALREADY_EXISTS" },
    });
    expect((await api.call({ id: "cancelDecommission", params: store })).status).toBe(200);
    expect(await api.call({ id: "cancelDecommission", params: store })).toMatchObject({
      status: 400,
      body: { detail: "store 4 is not being decommissioned" },
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
        const answer = await api.call({ ...sample(operation), params: unknownParams });
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
function followerOf(leaderMemberId: number): Parameters<HttpServer["show"]>[0] {
  const refuse = (): Promise<never> => {
    const members = new Map([[3, { address: "127.0.0.1:7404" }]]);
    return Promise.reject(notLeaderError(2, leaderMemberId, { members } as never));
  };
  const refusing = new Proxy({}, { get: () => refuse }) as never;
  const base = { id: 3, name: "pd-3", address: "127.0.0.1:7404", isLearner: false, isUp: true };
  return {
    calls: { pd: refusing, admin: refusing },
    group: {
      ...{ memberId: 2, leaderMemberId, appliedIndex: 9, clusterId: 7, isServing: false },
      // It listens on every address: its RPC address says where it is.
      members: () => [{ ...base, httpAddress: "0.0.0.0:7405" }],
    },
  };
}
