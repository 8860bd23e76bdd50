import { afterAll, beforeAll, expect, test } from "vitest";
import { FakeStore } from "../../../testing/fake-store.ts";
import { TestPd } from "../../../testing/test-pd.ts";
import { ApiClient } from "../../testing/api-client.ts";
import { FILTER_SCAN_MAX_COUNT } from "./regions.ts";

const REGION_COUNT = FILTER_SCAN_MAX_COUNT + 1_500;

let pd: TestPd;
let api: ApiClient;

interface Page {
  readonly regions: readonly { readonly id: number; readonly startKey: string }[];
  readonly nextKey: string | null;
}

beforeAll(async () => {
  const initialSplitKeys = Array.from({ length: REGION_COUNT - 1 }, (_, at) => keyAt(at + 1));
  pd = await TestPd.start({ bootstrapStores: 1, initialSplitKeys });
  api = await ApiClient.connect(pd.httpAddress);
});
afterAll(() => pd.close());

function keyAt(at: number): string {
  return `k${String(at).padStart(6, "0")}`;
}

async function page(query: Record<string, string | number>): Promise<Page> {
  const { status, body } = await api.call({ id: "listRegions", query });
  expect(status).toBe(200);
  return body as unknown as Page;
}

test("before the initial Regions are placed there is nothing to list, and a readiness to wait for", async () => {
  expect(await api.call({ id: "listRegions" })).toMatchObject({
    status: 503,
    body: { code: "RDB_CLUSTER_NOT_BOOTSTRAPPED" },
  });
  expect((await api.call({ id: "getCluster" })).body).toMatchObject({
    healthy: false,
    problems: ["waiting for Stores: 0 of 1 have registered"],
  });
  await new FakeStore(pd.client(), "127.0.0.1:7410").register();
});

test("Regions are read from a key on, a thousand at a time unless fewer are wanted", async () => {
  const first = await page({});
  expect([first.regions.length, first.nextKey]).toEqual([1_000, keyAt(1_000)]);
  const second = await page({ startKey: String(first.nextKey), limit: 7 });
  expect([second.regions.map(({ startKey }) => startKey).at(0), second.nextKey]).toEqual([
    keyAt(1_000),
    keyAt(1_007),
  ]);
  const last = await page({ startKey: keyAt(REGION_COUNT - 3) });
  expect([last.regions.length, last.nextKey]).toEqual([3, null]);
});

test("a page with a filter ends after so many looked at, and says where to go on", async () => {
  const none = await page({ leaderStoreId: 1 });
  expect(none).toMatchObject({ regions: [], nextKey: keyAt(FILTER_SCAN_MAX_COUNT) });
  expect(await page({ leaderStoreId: 1, startKey: String(none.nextKey) })).toMatchObject({ nextKey: null });
  const some = await page({ storeId: 1, state: "leaderless", limit: 1_000 });
  expect([some.regions.length, some.nextKey]).toEqual([1_000, keyAt(1_000)]);
  expect(await page({ storeId: 2 })).toMatchObject({ regions: [] });
});

test("all of them tile the key space, and have no leader", async () => {
  expect((await api.call({ id: "checkRegions" })).body).toMatchObject({
    isSound: true,
    regionCount: REGION_COUNT,
  });
  expect((await api.call({ id: "getCluster" })).body).toMatchObject({
    problems: expect.arrayContaining([
      expect.stringContaining(`${REGION_COUNT} of ${REGION_COUNT} Regions have no leader`),
    ]),
  });
});

test.each([
  [{ startKey: "a\\" }, "startKey"],
  [{ startKeyHex: "6" }, "startKeyHex"],
  [{ startKey: "a", startKeyHex: "61" }, "startKeyHex"],
  [{ limit: 1_001 }, "limit"],
  [{ limit: "1e2" }, "limit"],
  [{ state: "odd" }, "state"],
])("a query %j is refused, naming %s", async (query, field) => {
  const { status, body } = await api.call({ id: "listRegions", query: query as Record<string, string> });
  expect([status, body["errors"]]).toMatchObject([400, [{ field }]]);
});
