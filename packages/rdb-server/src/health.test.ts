import { index, regionId, storeId, term } from "@flaredb/rdb-base";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HealthServer } from "./health.ts";
import type { RegionStatus } from "./store/store-handle.ts";
import { FakeStoreHandle } from "./testing/fake-store-handle.ts";
import { voterOn } from "./testing/peer-messages.ts";

/** What the process shows of itself is somebody else's matter. */
const metrics = (): Promise<string> => Promise.resolve("up 1\n");

let server: HealthServer;
let handle: FakeStoreHandle;

beforeEach(async () => {
  server = new HealthServer({ host: "127.0.0.1", port: 0, metrics });
  await server.listen();
  handle = new FakeStoreHandle();
});
afterEach(() => server.close());

function show(): void {
  server.show({
    ident: { kind: "Store", clusterId: 7, storeId: storeId(3) },
    address: "127.0.0.1:7410",
    handle,
    pdIsConnected: () => true,
  });
}

async function get(path: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`http://${server.address}${path}`);
  return { status: response.status, body: await response.json() };
}

test("a Store that serves is healthy, and says who it is", async () => {
  handle.healthNow = { ...handle.healthNow, regionCount: 2, leaderCount: 1, asleepCount: 1 };
  show();
  expect(await get("/health")).toMatchObject({
    status: 200,
    body: {
      status: "ok",
      storeId: 3,
      clusterId: 7,
      pdConnected: true,
      regionCount: 2,
      leaderCount: 1,
      asleepCount: 1,
      isFull: false,
    },
  });
});

test("while it starts, stops, or its disk is slow, it is not", async () => {
  expect(await get("/health")).toEqual({ status: 503, body: { status: "starting" } });
  show();
  handle.healthNow = { ...handle.healthNow, isSlow: true };
  expect(await get("/health")).toMatchObject({ status: 503, body: { status: "slow" } });
  server.show(undefined);
  expect((await get("/health")).status).toBe(503);
});

test("Regions are listed with their keys as text and hex", async () => {
  const region = {
    id: regionId(4),
    startKey: new Uint8Array(),
    endKey: new Uint8Array([0x6d, 0xff]),
    epoch: { confVer: 1, version: 2 },
    peers: [voterOn(3)],
  };
  handle.statuses = [
    { region, term: term(5), isLeader: true, commitIndex: index(6) } as unknown as RegionStatus,
  ];
  show();
  expect(await get("/api/v1/regions")).toEqual({
    status: 200,
    body: {
      regions: [
        expect.objectContaining({
          regionId: 4,
          startKey: "",
          startKeyHex: "",
          endKey: "m\\xff",
          endKeyHex: "6dff",
          epoch: { confVer: 1, version: 2 },
          isLeader: true,
          commitIndex: 6,
        }),
      ],
    },
  });
});

test("one Region comes with what its leader knows of the others; one that is not here is not found", async () => {
  const region = {
    id: regionId(4),
    startKey: new Uint8Array(),
    endKey: new Uint8Array(),
    epoch: { confVer: 1, version: 2 },
    peers: [voterOn(3)],
  };
  const followers = [{ peerId: 9, state: "probe", matchIndex: 5, nextIndex: 6, isAlive: true }];
  handle.statuses = [{ region, term: term(5), isLeader: true, followers } as unknown as RegionStatus];
  show();
  expect(await get("/api/v1/regions/4")).toMatchObject({ status: 200, body: { regionId: 4, followers } });
  for (const id of ["5", "x", "04", "1e3"]) {
    expect((await get(`/api/v1/regions/${id}`)).status).toBe(404);
  }
});

test("a port that is taken is named", async () => {
  const port = Number(server.address.split(":")[1]);
  await expect(new HealthServer({ host: "127.0.0.1", port, metrics }).listen()).rejects.toMatchObject({
    code: "RDB_ADDRESS_IN_USE",
    message: expect.stringContaining(`127.0.0.1:${port}`),
  });
});

test("its metrics are text for Prometheus, from the first moment on", async () => {
  const response = await fetch(`http://${server.address}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(await response.text()).toBe("up 1\n");
});
