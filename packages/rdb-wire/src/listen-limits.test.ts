import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { type LogFields, silentLogger } from "@flaredb/rdb-base";
import { encodeFrame } from "@flaredb/rdb-proto";
import { afterEach, expect, test } from "vitest";
import { type ListenCounts, noListenCounts } from "./listen-counts.ts";
import type { ListenLimits } from "./listen-limits.ts";
import type { RpcServer } from "./rpc-server.ts";
import { BATCH_PATH, startEchoServer } from "./testing/echo.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

const warnings: LogFields[] = [];
let counts: ListenCounts;

async function serverWith(limits: Partial<ListenLimits>): Promise<RpcServer> {
  warnings.length = 0;
  counts = noListenCounts();
  const warn = (fields: LogFields): void => {
    warnings.push(fields);
  };
  const server = await startEchoServer({ limits, counts, logger: { ...silentLogger, warn } });
  cleanups.push(() => server.close(0));
  return server;
}

async function connectTo({ port }: RpcServer): Promise<net.Socket> {
  const socket = net.connect(port, "127.0.0.1");
  socket.on("error", () => {});
  cleanups.push(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

const headers = {
  ":method": "POST",
  ":path": BATCH_PATH,
  "content-type": "application/grpc",
  te: "trailers",
};

test("one connection more than may be is closed unread, counted, and told once", async () => {
  const server = await serverWith({ connectionMaxCount: 2 });
  const [first] = [await connectTo(server), await connectTo(server)];
  for (let left = 5; left > 0; left--) {
    const refused = await connectTo(server);
    refused.resume();
    await once(refused, "close");
  }
  expect(counts.connectionsCut.too_many.value).toBe(5);
  expect(warnings).toEqual([{ connectionMaxCount: 2, dropped: 1 }]);
  first.destroy();
  await once(first, "close");
  const session = http2.connect(`http://${server.address}`);
  cleanups.push(() => session.destroy());
  await once(session, "connect");
});

test("clients are told how many calls a connection may have open", async () => {
  const { address } = await serverWith({ streamMaxCount: 2 });
  const session = http2.connect(`http://${address}`);
  cleanups.push(() => session.destroy());
  await once(session, "remoteSettings");
  expect(session.remoteSettings.maxConcurrentStreams).toBe(2);
});

/** HTTP/2's frames, by hand: no client of Node's asks for more than it was told it may have. */
function http2Frame(type: number, streamId: number, payload: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

const SETTINGS = 4;
const ACK = 1;
const END_HEADERS = 4;
/** :method POST, :scheme http, :path /, :authority a. */
const POST = Buffer.of(0x83, 0x86, 0x84, 0x41, 1, 0x61);

test("calls past the limit are refused, and that a connection came to it is counted", async () => {
  const server = await serverWith({ streamMaxCount: 2 });
  const call = Array.from({ length: 4 }, (_, at) => http2Frame(1, 1 + 2 * at, POST, END_HEADERS));
  const begin = [Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), http2Frame(SETTINGS, 0, new Uint8Array())];
  const unaware = await connectTo(server);
  unaware.write(Buffer.concat([...begin, ...call]));
  // Two of the four calls are reset (RST_STREAM, REFUSED_STREAM); the server goes on.
  let received = Buffer.alloc(0);
  const isRefused = (id: number): boolean => received.includes(http2Frame(3, id, Buffer.of(0, 0, 0, 7)));
  while (!(isRefused(5) && isRefused(7))) {
    received = Buffer.concat([received, ((await once(unaware, "data")) as [Buffer])[0]]);
  }
  expect(counts.fullConnections.value).toBe(1);
  expect(counts.connectionsCut.failed.value).toBe(0);
  // Who was told of the limit and passes it breaks the protocol: HTTP/2 ends the connection.
  const rude = await connectTo(server);
  rude.resume();
  rude.write(Buffer.concat([...begin, http2Frame(SETTINGS, 0, new Uint8Array(), ACK), ...call]));
  await once(rude, "close");
  expect(counts.connectionsCut.failed.value).toBe(1);
});

test("a message over the limit ends its call with the limit's name", async () => {
  const { address } = await serverWith({ messageMaxBytes: 1_000 });
  const session = http2.connect(`http://${address}`);
  cleanups.push(() => session.destroy());
  const stream = session.request(headers);
  stream.resume();
  stream.write(encodeFrame(new Uint8Array(1_001)).subarray(0, 100));
  const [trailers] = (await once(stream, "trailers")) as [Record<string, string>];
  expect(trailers["rdb-code"]).toBe("RDB_INVALID_ARGUMENT");
  expect(decodeURIComponent(String(trailers["grpc-message"]))).toContain("messageMaxBytes 1000");
});

test("who never says a word is gone after the keepalive", async () => {
  const server = await serverWith({ keepaliveIntervalMs: 50, keepaliveTimeoutMs: 50 });
  const silent = await connectTo(server);
  silent.resume();
  await once(silent, "close");
  expect(counts.connectionsCut.silent.value).toBe(1);
  expect(counts.connections.value).toBe(0);
});

async function sessionTo({ address }: RpcServer): Promise<http2.ClientHttp2Session> {
  const session = http2.connect(`http://${address}`);
  cleanups.push(() => session.destroy());
  await once(session, "connect");
  return session;
}

test("who answers PINGs and asks for nothing is sent away, and who has a call open stays", async () => {
  const server = await serverWith({ idleTimeoutMs: 100, keepaliveIntervalMs: 10 });
  const working = await sessionTo(server);
  const stream = working.request(headers);
  stream.resume();
  await once(stream, "response");
  const goodbyes = Array.from({ length: 50 }, () => {
    const session = http2.connect(`http://${server.address}`);
    cleanups.push(() => session.destroy());
    return Promise.all([once(session, "goaway"), once(session, "close")]);
  });
  for (const [[code]] of await Promise.all(goodbyes)) {
    expect(code).toBe(http2.constants.NGHTTP2_NO_ERROR);
  }
  await expect.poll(() => counts.connections.value).toBe(1);
  expect(counts.connectionsCut.idle.value).toBe(50);
  expect(stream.closed).toBe(false);
  // Once its call is over it counts as the others do.
  stream.end();
  await expect.poll(() => counts.connectionsCut.idle.value).toBe(51);
});

test("who is to go and does not is cut", async () => {
  const server = await serverWith({ idleTimeoutMs: 20, keepaliveTimeoutMs: 20, keepaliveIntervalMs: 60_000 });
  const stubborn = await connectTo(server);
  stubborn.resume();
  await once(stubborn, "close");
  expect(counts.connectionsCut.idle.value).toBe(1);
});
