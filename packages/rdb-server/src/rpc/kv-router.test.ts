import { create } from "@bufbuild/protobuf";
import {
  type Peer,
  RdbError,
  type Region,
  SeededRandom,
  regionId,
  storeId,
  systemClock,
  term,
} from "@flaredb/rdb-base";
import {
  type KvRequest,
  KvRequestSchema,
  type KvResponse,
  KvResponseSchema,
  type RegionError,
  type RegionHeader,
  regionToProto,
} from "@flaredb/rdb-proto";
import { beforeEach, expect, test } from "vitest";
import {
  epochNotMatch,
  keyNotInRegion,
  notLeader,
  regionNotFound,
  serverIsBusy,
  staleCommand,
} from "../peer/responses.ts";
import type { RegionStatus } from "../store/store-handle.ts";
import { FakeStoreHandle } from "../testing/fake-store-handle.ts";
import { voterOn } from "../testing/peer-messages.ts";
import type { RouteKey } from "./command-keys.ts";
import type { Forwarded } from "./kv-forwarder.ts";
import { KvRouter, type RegionPlace } from "./kv-router.ts";

type Command = Exclude<KvRequest["command"], { case: undefined }>;
const bytes = (text: string) => new TextEncoder().encode(text);
const here = storeId(1);

let handle: FakeStoreHandle;
/** What each attempt on another Store meets; the last is repeated. */
let elsewhere: ((header: RegionHeader, request: KvRequest) => Forwarded)[];
/** What each attempt on this Store meets; the last is repeated. */
let local: ((header: RegionHeader | undefined, request: KvRequest) => KvResponse)[];
let lookUp: (routeKey: RouteKey) => Promise<RegionPlace>;
let forwarded: { address: string; header: RegionHeader }[];

beforeEach(() => {
  handle = new FakeStoreHandle();
  handle.onHandle = (header, request, respond) => {
    const next = local.length > 1 ? local.shift() : local[0];
    if (next !== undefined) {
      respond(next(header, request));
    }
  };
  elsewhere = [];
  local = [];
  forwarded = [];
  lookUp = () => Promise.reject(new RdbError("RDB_PD_UNAVAILABLE", "PD is away"));
});

const router = () =>
  new KvRouter({
    storeId: here,
    handle,
    clock: systemClock,
    random: new SeededRandom(1),
    addressOf: (id) => (id === storeId(9) ? undefined : `store-${id}`),
    lookUp: (routeKey) => lookUp(routeKey),
    forward: (address, header, request) => {
      forwarded.push({ address, header });
      const next = elsewhere.length > 1 ? elsewhere.shift() : elsewhere[0];
      if (next === undefined) {
        throw new Error("nothing is expected to be forwarded");
      }
      return Promise.resolve(next(header, request));
    },
  });

function region(id: number, startKey = "", endKey = "", version = 1): Region {
  return {
    id: regionId(id),
    startKey: bytes(startKey),
    endKey: bytes(endKey),
    epoch: { confVer: 1, version },
    peers: [voterOn(1), voterOn(2), voterOn(3)],
  };
}

/** This Store has a peer of the Region, which takes `leader` for its leader. */
function regionHere(of: Region, leader: Peer | undefined): void {
  handle.statuses = [
    { region: of, peerId: voterOn(1).id, term: term(5), leaderPeerId: leader?.id ?? 0 } as RegionStatus,
  ];
}

const put: Command = create(KvRequestSchema, {
  command: { case: "put", value: { key: bytes("k"), value: bytes("v") } },
}).command as Command;
const get: Command = create(KvRequestSchema, { command: { case: "get", value: { key: bytes("k") } } })
  .command as Command;

const done = (): KvResponse =>
  create(KvResponseSchema, { requestId: 1, result: { case: "put", value: { version: 7n } } });
const found = (): KvResponse =>
  create(KvResponseSchema, { requestId: 1, result: { case: "get", value: { found: true } } });
const refusal = (error: RegionError): KvResponse =>
  create(KvResponseSchema, { requestId: 1, result: { case: "error", value: error } });
const answered = (response: KvResponse): Forwarded => ({ kind: "answered", response });
const lost = new RdbError("RDB_UNAVAILABLE", "connection lost");

test("a request to a Region led here is done here", async () => {
  regionHere(region(4), voterOn(1));
  local = [done];
  expect(await router().execute(put, 1_000)).toMatchObject({ case: "put", value: { version: 7n } });
  const [event] = handle.of("handle");
  expect(event?.header).toMatchObject({ regionId: 4n, storeId: 1n, epoch: { version: 1n } });
  expect(event?.requests[0]?.timeoutMs).toBeGreaterThan(900);
});

test("a request to a Region led elsewhere goes to the leader, one hop", async () => {
  regionHere(region(4), voterOn(2));
  elsewhere = [() => answered(done())];
  await router().execute(put, 1_000);
  expect(forwarded.map(({ address }) => address)).toEqual(["store-2"]);
});

test("a Region that is not here is looked up at PD", async () => {
  lookUp = () => Promise.resolve({ region: region(4), leader: voterOn(3) });
  elsewhere = [() => answered(done())];
  await router().execute(put, 1_000);
  expect(forwarded[0]).toMatchObject({ address: "store-3", header: { regionId: 4n, storeId: 3n } });
});

test("a hint to another leader is followed at once", async () => {
  regionHere(region(4), voterOn(2));
  elsewhere = [() => answered(refusal(notLeader(regionId(4), voterOn(3)))), () => answered(done())];
  await router().execute(put, 1_000);
  expect(forwarded.map(({ address }) => address)).toEqual(["store-2", "store-3"]);
});

test("the Regions that an EpochNotMatch brings are used", async () => {
  regionHere(region(4), voterOn(2));
  const error = epochNotMatch(region(4, "", "k", 2), 1);
  if (error.reason.case === "epochNotMatch") {
    error.reason.value.currentRegions.push(regionToProto(region(5, "k", "", 2)));
  }
  elsewhere = [() => answered(refusal(error)), () => answered(done())];
  await router().execute(put, 1_000);
  expect(forwarded[1]?.header).toMatchObject({ regionId: 5n, epoch: { version: 2n } });
});

test("without a leader the request waits for one, within its time", async () => {
  regionHere(region(4), undefined);
  local = [
    () => refusal(notLeader(regionId(4), undefined)),
    () => refusal(notLeader(regionId(4), undefined)),
    done,
  ];
  await router().execute(put, 5_000);
  expect(handle.of("handle").length).toBe(3);
});

test.each([
  ["RegionNotFound", () => regionNotFound(4, storeId(2))],
  ["KeyNotInRegion", () => keyNotInRegion(bytes("k"), region(4, "", "a"))],
])("%s is no end: the Region is found anew", async (_name, error) => {
  regionHere(region(4), voterOn(2));
  elsewhere = [() => answered(refusal(error())), () => answered(done())];
  await router().execute(put, 5_000);
  expect(forwarded.length).toBe(2);
});

test("when time runs out and nothing is under way, the request was not applied", async () => {
  regionHere(region(4), undefined);
  local = [() => refusal(notLeader(regionId(4), undefined))];
  await expect(router().execute(put, 60)).rejects.toMatchObject({
    code: "RDB_DEADLINE_EXCEEDED",
    message: expect.stringContaining("no leader is known"),
  });
});

test("a write that was not sent is tried elsewhere; one that was sent and not answered never again", async () => {
  regionHere(region(4), voterOn(2));
  elsewhere = [() => ({ kind: "unsent", error: lost }), () => ({ kind: "unanswered", error: lost })];
  await expect(router().execute(put, 5_000)).rejects.toMatchObject({ code: "RDB_UNDETERMINED_RESULT" });
  expect(forwarded.length).toBe(2);
});

test("a read that was sent and not answered is tried again", async () => {
  regionHere(region(4), voterOn(2));
  elsewhere = [() => ({ kind: "unanswered", error: lost }), () => answered(found())];
  expect(await router().execute(get, 5_000)).toMatchObject({ case: "get" });
});

test("a write that is not answered here in time is of unknown outcome", async () => {
  regionHere(region(4), voterOn(1));
  await expect(router().execute(put, 50)).rejects.toMatchObject({ code: "RDB_UNDETERMINED_RESULT" });
  await expect(router().execute(get, 50)).rejects.toMatchObject({ code: "RDB_DEADLINE_EXCEEDED" });
});

test("StaleCommand is unknown for a write, and only a delay for a read", async () => {
  regionHere(region(4), voterOn(1));
  local = [() => refusal(staleCommand("leadership lost")), found];
  await expect(router().execute(put, 1_000)).rejects.toMatchObject({ code: "RDB_STALE_COMMAND" });
  local = [() => refusal(staleCommand("leadership lost")), found];
  expect(await router().execute(get, 5_000)).toMatchObject({ case: "get" });
});

test("a busy Store is the client's to wait for", async () => {
  regionHere(region(4), voterOn(1));
  local = [() => refusal(serverIsBusy("queue", 10))];
  await expect(router().execute(put, 1_000)).rejects.toMatchObject({ code: "RDB_SERVER_IS_BUSY" });
});

test("before the cluster has Regions a client is told so at once", async () => {
  lookUp = () => Promise.reject(new RdbError("RDB_CLUSTER_NOT_BOOTSTRAPPED", "no Regions yet"));
  await expect(router().execute(put, 5_000)).rejects.toMatchObject({ code: "RDB_CLUSTER_NOT_BOOTSTRAPPED" });
});

test("while PD is away and the Region is not here, the request waits for either", async () => {
  lookUp = () => {
    lookUp = () => Promise.resolve({ region: region(4), leader: voterOn(2) });
    return Promise.reject(new RdbError("RDB_PD_UNAVAILABLE", "PD is away"));
  };
  elsewhere = [() => answered(done())];
  await router().execute(put, 5_000);
  expect(forwarded.length).toBe(1);
});

test("a leader whose address is not known is no place to send a write to", async () => {
  const away = { ...region(4), peers: [voterOn(1), voterOn(9)] };
  regionHere(away, voterOn(9));
  await expect(router().execute(put, 60)).rejects.toMatchObject({
    code: "RDB_DEADLINE_EXCEEDED",
    message: expect.stringContaining("address of Store 9"),
  });
});
