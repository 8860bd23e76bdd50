import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { type LogFields, silentLogger } from "@flaredb/rdb-base";
import { encodeFrame } from "@flaredb/rdb-proto";
import { afterEach, expect, test } from "vitest";
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

async function serverWith(limits: Partial<ListenLimits>): Promise<RpcServer> {
  warnings.length = 0;
  const warn = (fields: LogFields): void => {
    warnings.push(fields);
  };
  const server = await startEchoServer({ limits, logger: { ...silentLogger, warn } });
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
  expect(server.droppedConnectionCount).toBe(5);
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
});
