import {
  type RdbError,
  RdbError as StoreError,
  SeededRandom,
  index,
  peerId,
  regionId,
  silentLogger,
  systemClock,
  term,
} from "@flaredb/rdb-base";
import {
  CommandRefusalReason,
  PeerChangeKind,
  PeerRole,
  regionToProto,
  reportsDigest,
} from "@flaredb/rdb-proto";
import { type Engine } from "@flaredb/rdb-storage";
import { httpWire } from "@flaredb/rdb-wire";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { testEngine } from "../testing/index.ts";
import type { RegionStatus } from "../store/store-handle.ts";
import { FakePd } from "../testing/fake-pd.ts";
import { FakeStoreHandle } from "../testing/fake-store-handle.ts";
import { voterOn } from "../testing/peer-messages.ts";
import { ClusterVersion } from "../store/cluster-version.ts";
import { AddressBook } from "../transport/address-book.ts";
import { PdConnection } from "./pd-connection.ts";
import { PdLink } from "./pd-link.ts";
import { Registration } from "./registration.ts";

const bootId = 4_242;
const self = { address: "127.0.0.1:7410", httpAddress: "127.0.0.1:7420", labels: { host: "a" }, bootId };

let pds: FakePd[];
let engine: Engine;
let handle: FakeStoreHandle;
let opened: { close(): unknown }[];
let isStalled: boolean;
let seed = 0;

beforeEach(async () => {
  pds = [await new FakePd().listen()];
  engine = newEngine();
  handle = new FakeStoreHandle();
  opened = [];
  isStalled = false;
});

afterEach(async () => {
  for (const each of opened.toReversed()) {
    await each.close();
  }
  await Promise.all(pds.map((pd) => pd.close()));
});

function newEngine(): Engine {
  return testEngine(systemClock);
}

const pd = (): FakePd => pds[0] as FakePd;

function connect(...addresses: string[]): PdConnection {
  const connection = new PdConnection({
    wire: httpWire(),
    addresses: addresses.length > 0 ? addresses : pds.map((each) => each.address),
    localAddress: "127.0.0.1",
    callTimeoutMs: 1_000,
  });
  opened.push(connection);
  return connection;
}

function clusterVersionOf(onTooOld: (error: RdbError) => void = () => {}): ClusterVersion {
  return new ClusterVersion({
    ...{ engine, onTooOld, logger: silentLogger },
    noteVersion: () => Promise.resolve(),
  });
}

/** Each draws other numbers, as each start of a process does. */
function registrationOver(connection: PdConnection): Registration {
  return new Registration({
    engine,
    connection,
    self,
    clusterVersion: clusterVersionOf(),
    clock: systemClock,
    random: new SeededRandom(++seed),
    logger: silentLogger,
  });
}

const never = new AbortController().signal;

/** A Store that knows who it is. */
async function startLink(
  options: { isRegistered?: boolean; onRefused?: (error: RdbError) => void; connection?: PdConnection } = {},
): Promise<{ link: PdLink; book: AddressBook; clusterVersion: ClusterVersion }> {
  const connection = options.connection ?? connect();
  const registration = registrationOver(connection);
  const ident = registration.storedIdent() ?? (await registration.register(never)).ident;
  const book = new AddressBook(engine, silentLogger);
  const clusterVersion = clusterVersionOf(options.onRefused);
  const link = new PdLink({
    connection,
    registration,
    ident,
    isRegistered: options.isRegistered ?? true,
    bootId,
    config: { keepaliveIntervalMs: 40, storeHeartbeatIntervalMs: 60_000, callTimeoutMs: 1_000 },
    addressBook: book,
    clusterVersion,
    clock: systemClock,
    random: new SeededRandom(3),
    logger: silentLogger,
    isStalled: () => isStalled,
    diskUsage: () => Promise.resolve({ capacityBytes: 100, availableBytes: 60, usedBytes: 7 }),
    residentMemoryBytes: () => 55,
    onRefused:
      options.onRefused ??
      ((error) => {
        throw error;
      }),
  });
  opened.push(link);
  link.start(handle);
  return { link, book, clusterVersion };
}

function status(id: number, isLeader: boolean): RegionStatus {
  return {
    region: {
      id: regionId(id),
      startKey: new Uint8Array([id]),
      endKey: new Uint8Array([id + 1]),
      epoch: { confVer: 1, version: id },
      peers: [voterOn(1), voterOn(2)],
    },
    peerId: peerId(10),
    term: term(6),
    leaderPeerId: peerId(isLeader ? 10 : 20),
    isLeader,
    commitIndex: index(9),
    appliedIndex: index(9),
    lastIndex: index(9),
    firstIndex: index(6),
    revision: 3,
    approximateSizeBytes: 1_234.5,
    load: {
      writtenBytesPerSecond: 1.4,
      writtenKeysPerSecond: 2,
      readBytesPerSecond: 3,
      readKeysPerSecond: 4,
    },
    approximateKeyCount: 12,
    isAsleep: false,
    downPeerIds: isLeader ? [peerId(20)] : [],
    pendingPeerIds: [],
    isDamaged: false,
    damagedPeerIds: [],
    verifiedIndex: 0,
    isMerging: false,
  } as RegionStatus;
}

test("SPEC-M1: a new Store registers under a token that it keeps, and gets its identity durably", async () => {
  const { ident } = await registrationOver(connect()).register(never);
  expect(ident).toEqual({ kind: "Store", clusterId: 77, storeId: 1 });
  const [first] = pd().of("register");
  expect(first?.request).toMatchObject({
    storeId: 0n,
    clusterId: 0n,
    address: "127.0.0.1:7410",
    httpAddress: "127.0.0.1:7420",
    labels: { host: "a" },
    bootId: 4_242n,
  });
  expect(first?.request.registrationToken).toMatch(/^[0-9a-f]{32}$/);

  const again = registrationOver(connect());
  expect(again.storedIdent()).toEqual(ident);
  await again.register(never);
  expect(pd().of("register")[1]?.request).toMatchObject({
    storeId: 1n,
    clusterId: 77n,
    registrationToken: first?.request.registrationToken,
  });
});

test("a lost answer does not cost a second id: the token is the same before there is an identity", async () => {
  pd().onRegister = () => {
    pd().onRegister = () => {};
    throw new StoreError("RDB_SERVER_IS_BUSY", "lost");
  };
  await registrationOver(connect()).register(never);
  const tokens = pd()
    .of("register")
    .map((event) => event.request.registrationToken);
  expect(tokens.length).toBe(2);
  expect(tokens[0]).toBe(tokens[1]);
});

test("a Store waits for a PD that is not there yet, and stops waiting when told to", async () => {
  const { address, port } = pd();
  await pd().close();
  const stop = new AbortController();
  const given = registrationOver(connect(address)).register(stop.signal);
  stop.abort();
  await expect(given).rejects.toMatchObject({ code: "RDB_CLOSED" });

  const waiting = registrationOver(connect(address)).register(never);
  pds[0] = await new FakePd(port).listen();
  expect((await waiting).ident.storeId).toBe(1);
});

test("the next member is asked when one does not answer", async () => {
  const gone = await new FakePd().listen();
  const { address } = gone;
  await gone.close();
  const { ident } = await registrationOver(connect(address, pd().address)).register(never);
  expect(ident.storeId).toBe(1);
});

test.each([
  ...(["RDB_CLUSTER_MISMATCH", "RDB_DATA_FOREIGN", "RDB_STORE_DECOMMISSIONED", "RDB_NOT_FOUND"] as const),
  "RDB_INVALID_ARGUMENT" as const,
])("what PD refuses for good (%s) is said, not tried again", async (code) => {
  pd().onRegister = () => {
    throw new StoreError(code, "no");
  };
  await expect(registrationOver(connect()).register(never)).rejects.toMatchObject({ code, message: "no" });
  expect(pd().of("register").length).toBe(1);
});

test.each([
  ["does not lead", new StoreError("RDB_NOT_LEADER", "another one leads")],
  ["ceases to lead meanwhile", new StoreError("RDB_STALE_COMMAND", "the leader changed")],
])("the next member is asked when one %s", async (_, refusal) => {
  const second = await new FakePd().listen();
  pds.push(second);
  pd().onRegister = () => {
    throw refusal;
  };
  await registrationOver(connect()).register(never);
  expect(pds.map((each) => each.of("register").length)).toEqual([1, 1]);
});

test("SPEC-M6: PD hears of all Regions and the Store's health at once", async () => {
  handle.statuses = [status(1, true), status(2, false)];
  handle.healthNow = { ...handle.healthNow, isSlow: true, putCount: 3 };
  await startLink();
  const [event] = await pd().first("storeHeartbeat");
  expect(event?.request).toMatchObject({
    clusterId: 77n,
    storeId: 1n,
    bootId: 4_242n,
    stats: { capacityBytes: 100n, availableBytes: 60n, usedBytes: 7n, isSlow: true, putCount: 3n },
  });
  const [leader, follower] = event?.request.regions ?? [];
  expect(leader).toMatchObject({
    regionId: 1n,
    peerId: 10n,
    isLeader: true,
    term: 6n,
    approximateSizeBytes: 1_235n,
    downPeerIds: [20n],
    region: { id: 1n, epoch: { version: 1n } },
  });
  expect(follower).toMatchObject({ regionId: 2n, isLeader: false });
  expect(follower?.region).toBeUndefined();
  expect(event?.request.regionsDigest).toEqual(reportsDigest(event?.request.regions ?? []));
});

test("SPEC-M6: PD hears at once that the disk is full, not only with the next heartbeat", async () => {
  const { link } = await startLink();
  await pd().first("storeHeartbeat");
  await vi.waitFor(() => expect(link.isConnected).toBe(true));
  handle.healthNow = { ...handle.healthNow, isFull: true };
  link.diskChanged();
  await pd().log.until(() =>
    pd()
      .of("storeHeartbeat")
      .some(({ request }) => request.stats?.isFull === true),
  );
});

test("SPEC-M6: when PD's view differs it gets everything; what it knows already comes as a digest", async () => {
  handle.statuses = [status(1, true), status(2, false)];
  const { link } = await startLink();
  await pd().first("storeHeartbeat");
  await vi.waitFor(() => expect(link.isConnected).toBe(true));
  const before = pd().of("storeHeartbeat").length;
  pd().onStoreHeartbeat = (request) => request.regions.length < 2;
  pd().say({ case: "reportAll", value: {} });
  const events = await pd().first("storeHeartbeat", before + 1);
  expect(events.at(-1)?.request.regions.length).toBe(2);
});

test("SPEC-M6: a changed Region is reported at once, several of one turn together", async () => {
  handle.statuses = [status(1, true), status(2, true)];
  const { link } = await startLink();
  await pd().first("regionHeartbeat");
  link.regionChanged(regionId(1));
  link.regionChanged(regionId(2));
  link.regionChanged(regionId(3));
  await pd().log.until(() =>
    pd()
      .of("regionHeartbeat")
      .some(({ request }) => request.regions.length > 0),
  );
  const reports = pd()
    .of("regionHeartbeat")
    .filter(({ request }) => request.regions.length > 0);
  expect(reports.map(({ request }) => request.regions.map((region) => region.regionId))).toEqual([[1n, 2n]]);
});

test("keepalives come without changes, and stop while the disk stands still", async () => {
  await startLink();
  await pd().first("regionHeartbeat", 3);
  isStalled = true;
  const marker = pd().of("regionHeartbeat").length;
  await new Promise<void>((resolve) => systemClock.setTimer(200, resolve));
  expect(pd().of("regionHeartbeat").length).toBeLessThanOrEqual(marker + 1);
  isStalled = false;
  await pd().first("regionHeartbeat", marker + 2);
});

test("SPEC-M1: PD's commands reach the loop; those for another Store do not", async () => {
  const { book } = await startLink();
  const { region } = status(5, true);
  const create = { clusterId: 77n, storeId: 1n, region: regionToProto(region) };
  pd().say({ case: "createPeer", value: { ...create, storeId: 2n } });
  pd().say({ case: "createPeer", value: { ...create, clusterId: 78n } });
  pd().say({ case: "createPeer", value: create });
  pd().say({
    case: "transferLeader",
    value: { regionId: 5n, epoch: { confVer: 1n, version: 5n }, toPeerId: 20n },
  });
  const [transfer] = await handle.first("transferLeader");
  expect(transfer).toMatchObject({ regionId: 5, epoch: { confVer: 1, version: 5 }, toPeerId: 20 });
  expect(handle.of("createPeer").map((event) => event.region)).toEqual([region]);
  expect(book.addressOf(voterOn(1).storeId)).toBe("127.0.0.1:7410");
});

test("SPEC-C1: PD's changes reach the loop, and PD hears at once of what is refused, and why", async () => {
  await startLink();
  const epoch = { confVer: 2n, version: 5n };
  const peer = { $typeName: "rdb.v1.Peer" as const, id: 40n, storeId: 4n, role: PeerRole.LEARNER };
  const changes = [{ kind: PeerChangeKind.ADD_LEARNER, peer }];
  const unknown = { kind: 9 as PeerChangeKind, peer };
  pd().say({ case: "changePeers", value: { regionId: 5n, epoch, changes } }, 1n);
  const command = (await handle.first("changePeers"))[0]?.command;
  expect(command).toMatchObject({ regionId: 5, epoch: { confVer: 2, version: 5 } });
  expect(command?.changes).toEqual([
    { kind: "AddLearner", peer: { id: peerId(40), storeId: 4, role: "Learner" } },
  ]);

  handle.onChangePeers = () => ({ ok: false, reason: "QuorumAtRisk", message: "peer 40 is down" });
  handle.onTransferLeader = () => ({ ok: false, reason: "PeerBehind", message: "peer 40 lacks much" });
  handle.onSplitRegion = () => Promise.reject(new Error("disk"));
  pd().say({ case: "changePeers", value: { regionId: 5n, epoch, changes } }, 2n);
  pd().say({ case: "transferLeader", value: { regionId: 6n, epoch, toPeerId: 40n } }, 3n);
  pd().say({ case: "changePeers", value: { regionId: 7n, epoch, changes: [unknown] } }, 4n);
  pd().say({ case: "splitRegion", value: { regionId: 8n, epoch, partCount: 2 } }, 5n);
  pd().say({ case: "changePeers", value: { regionId: 9n, epoch, changes } });
  const refusals = () =>
    pd()
      .of("regionHeartbeat")
      .flatMap(({ request }) => request.refusals);
  await pd().log.until(() => refusals().length >= 4);
  const reasons = new Map(refusals().map(({ commandId, reason, message }) => [commandId, [reason, message]]));
  expect(reasons).toEqual(
    new Map([
      [2n, [CommandRefusalReason.QUORUM_AT_RISK, "peer 40 is down"]],
      [3n, [CommandRefusalReason.PEER_BEHIND, "peer 40 lacks much"]],
      [4n, [CommandRefusalReason.INVALID, "change 9 of a peer is not known to this program"]],
      [5n, [CommandRefusalReason.INVALID, "disk"]],
    ]),
  );
});

test("a command that cannot be read, or that the loop refuses, hurts nothing", async () => {
  handle.onCreatePeer = () => Promise.reject(new Error("disk"));
  await startLink();
  const region = regionToProto(status(5, true).region);
  pd().say({ case: "transferLeader", value: { regionId: 2n ** 60n, toPeerId: 1n } });
  pd().say({ case: "createPeer", value: { clusterId: 77n, storeId: 1n, region } });
  pd().say({ case: undefined });
  pd().say({ case: "transferLeader", value: { regionId: 5n, toPeerId: 20n } });
  await handle.first("transferLeader");
  expect(pd().of("streamEnded")).toEqual([]);
});

test("when the stream ends it is opened anew, and everything is reported again", async () => {
  handle.statuses = [status(1, true)];
  await startLink();
  await pd().first("regionHeartbeat");
  await pd().first("storeHeartbeat");
  pd().cutStream();
  await pd().first("streamEnded");
  const { length } = pd().of("storeHeartbeat");
  const events = await pd().first("storeHeartbeat", length + 1);
  expect(events.at(-1)?.request.regions.length).toBe(1);
});

test("a Store with an identity starts without PD, and registers when PD comes", async () => {
  await registrationOver(connect()).register(never);
  const { address, port } = pd();
  await pd().close();
  const { link } = await startLink({ isRegistered: false, connection: connect(address) });
  link.regionChanged(regionId(1));
  expect(link.isConnected).toBe(false);
  handle.statuses = [status(1, true)];
  pds[0] = await new FakePd(port).listen();
  await pd().first("register");
  await pd().log.until(() =>
    pd()
      .of("regionHeartbeat")
      .some(({ request }) => request.regions.length === 1),
  );
  await vi.waitFor(() => expect(link.isConnected).toBe(true));
});

test("a Store that PD does not want at its start is told so, once", async () => {
  await registrationOver(connect()).register(never);
  pd().onRegister = () => {
    throw new StoreError("RDB_CLUSTER_MISMATCH", "another cluster");
  };
  const { promise, resolve } = Promise.withResolvers<RdbError>();
  await startLink({ isRegistered: false, onRefused: resolve });
  expect(await promise).toMatchObject({ code: "RDB_CLUSTER_MISMATCH" });
});

test("a PD that forgot the Store gets it registered again", async () => {
  await startLink();
  await pd().first("regionHeartbeat");
  pd().onRegionHeartbeat = () => {
    pd().onRegionHeartbeat = () => {};
    throw new StoreError("RDB_STORE_NOT_MATCH", "another process registered since");
  };
  pd().cutStream();
  await pd().first("register", 2);
});

test.each(["RDB_STORE_LOST", "RDB_STORE_DECOMMISSIONED"] as const)(
  "a Store that has registered and is refused for good with %s meanwhile is told so: it must not serve on",
  async (code) => {
    const { promise, resolve } = Promise.withResolvers<RdbError>();
    await startLink({ onRefused: resolve });
    await pd().first("regionHeartbeat");
    const refuse = (): never => {
      throw new StoreError(code, "gone for good");
    };
    Object.assign(pd(), { onRegister: refuse, onRegionHeartbeat: refuse });
    pd().cutStream();
    expect(await promise).toMatchObject({ code });
  },
);

test("a Store that a heartbeat tells to be lost believes it: PD may not answer a second time", async () => {
  const { promise, resolve } = Promise.withResolvers<RdbError>();
  await startLink({ onRefused: resolve });
  await pd().first("regionHeartbeat");
  pd().onRegister = () => {
    throw new StoreError("RDB_PD_UNAVAILABLE", "no majority any more");
  };
  pd().onRegionHeartbeat = () => {
    throw new StoreError("RDB_STORE_LOST", "gone for good");
  };
  pd().cutStream();
  expect(await promise).toMatchObject({ code: "RDB_STORE_LOST" });
});
