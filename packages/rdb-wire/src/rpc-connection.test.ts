import net from "node:net";
import { type Clock, RdbError, silentLogger, systemClock } from "@flaredb/rdb-base";
import type { KvRequest, KvResponse } from "@flaredb/rdb-proto";
import { afterEach, describe, expect, test } from "vitest";
import type { ClientStream } from "./client-stream.ts";
import { RpcConnection, type RpcConnectionOptions } from "./rpc-connection.ts";
import { RpcServer } from "./rpc-server.ts";
import { startProxy } from "./testing/proxy.ts";
import {
  BATCH_PATH,
  clientCodec,
  putRequest,
  putResponse,
  serverCodec,
  startEchoServer,
} from "./testing/echo.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

async function echoServer(options: Parameters<typeof startEchoServer>[0] = {}): Promise<RpcServer> {
  const server = await startEchoServer(options);
  cleanups.push(() => server.close(0));
  return server;
}

/** A stream, what it received, and how it ended. */
interface Caller {
  readonly connection: RpcConnection;
  readonly stream: ClientStream<KvRequest, KvResponse[]>;
  readonly received: number[];
  readonly closed: Promise<RdbError | undefined>;
  readonly closedCount: () => number;
  /** Resolves once that many answers came. */
  readonly answers: (count: number) => Promise<void>;
}

function call(address: string, options: Partial<RpcConnectionOptions> = {}): Caller {
  const connection = new RpcConnection({ address, clock: systemClock, ...options });
  cleanups.push(() => connection.close());
  const received: number[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const closed = Promise.withResolvers<RdbError | undefined>();
  let closedCount = 0;
  const stream = connection.openStream(BATCH_PATH, clientCodec, {
    onMessage: (responses) => {
      received.push(...responses.map((response) => response.requestId));
      for (const waiter of waiting) {
        if (received.length >= waiter.count) {
          waiter.resolve();
        }
      }
    },
    onClosed: (error) => {
      closedCount++;
      closed.resolve(error);
    },
  });
  const answers = (count: number): Promise<void> =>
    received.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve }));
  return { connection, stream, received, closed: closed.promise, closedCount: () => closedCount, answers };
}

describe("RpcConnection", () => {
  test("carries many requests in order, with values over every window's default", async () => {
    const server = await echoServer();
    const caller = call(server.address);
    const ids = Array.from({ length: 256 }, (_, id) => id);
    for (const id of ids) {
      expect(caller.stream.push(putRequest(id, new Uint8Array(64 * 1024)))).toBe(true);
    }
    await caller.answers(256);
    expect(caller.received).toEqual(ids);
  });

  test("groups what one turn makes into one message", async () => {
    const messages: number[] = [];
    const server = await echoServer({
      onRequests: (stream, requests) => {
        messages.push(requests.length);
        for (const request of requests) {
          stream.push(putResponse(request.requestId));
        }
      },
    });
    const caller = call(server.address);
    caller.stream.push(putRequest(1));
    await caller.answers(1);
    for (let id = 2; id <= 101; id++) {
      caller.stream.push(putRequest(id));
    }
    await caller.answers(101);
    expect(messages).toEqual([1, 100]);
  });

  test("close waits for the answers and then reports no error, once", async () => {
    const server = await echoServer();
    const caller = call(server.address);
    caller.stream.push(putRequest(1));
    await caller.answers(1);
    caller.stream.push(putRequest(2));
    caller.stream.close();
    expect(caller.stream.push(putRequest(3))).toBe(false);
    expect(await caller.closed).toBeUndefined();
    expect(caller.received).toEqual([1, 2]);
    expect(caller.closedCount()).toBe(1);
  });

  test("an address where nobody listens is RDB_UNAVAILABLE, and nothing was encoded", async () => {
    const server = await startEchoServer();
    const address = server.address;
    await server.close(0);
    let encoded = 0;
    const connection = new RpcConnection({ address, clock: systemClock });
    const closed = Promise.withResolvers<RdbError | undefined>();
    const stream = connection.openStream(
      BATCH_PATH,
      { ...clientCodec, encode: (items) => clientCodec.encode(items.slice(0, (encoded += items.length))) },
      { onMessage: () => {}, onClosed: closed.resolve },
    );
    stream.push(putRequest(1));
    expect(await closed.promise).toMatchObject({ code: "RDB_UNAVAILABLE", details: { address } });
    expect(encoded).toBe(0);
    expect(stream.push(putRequest(2))).toBe(false);
    expect(() => connection.openStream(BATCH_PATH, clientCodec, { onMessage() {}, onClosed() {} })).toThrow(
      RdbError,
    );
  });

  test("a server that dies tells every stream, once", async () => {
    const server = await startEchoServer({ onRequests: () => {} });
    const first = call(server.address);
    const second = first.connection.openStream(BATCH_PATH, clientCodec, {
      onMessage: () => {},
      onClosed: (error) => secondClosed.resolve(error),
    });
    const secondClosed = Promise.withResolvers<RdbError | undefined>();
    first.stream.push(putRequest(1));
    second.push(putRequest(1));
    await server.close(0);
    expect(await first.closed).toMatchObject({ code: "RDB_UNAVAILABLE" });
    expect(await secondClosed.promise).toMatchObject({ code: "RDB_UNAVAILABLE" });
    first.connection.close();
    expect(first.closedCount()).toBe(1);
  });

  test("closing the connection ends its streams with RDB_CLOSED", async () => {
    const server = await echoServer({ onRequests: () => {} });
    const caller = call(server.address);
    caller.connection.close();
    expect(await caller.closed).toMatchObject({ code: "RDB_CLOSED" });
    expect(caller.stream.isOpen).toBe(false);
  });

  test("a port that accepts but never speaks is no connection: nothing is sent to it", async () => {
    const sockets: net.Socket[] = [];
    const hanging = net.createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => {});
      socket.resume();
    });
    await new Promise<void>((resolve) => hanging.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => {
      for (const socket of sockets) {
        socket.destroy();
      }
      hanging.close();
    });
    const { port } = hanging.address() as net.AddressInfo;
    const connection = new RpcConnection({
      address: `127.0.0.1:${port}`,
      clock: systemClock,
      connectTimeoutMs: 100,
    });
    let encoded = 0;
    const closed = Promise.withResolvers<RdbError | undefined>();
    const stream = connection.openStream(
      BATCH_PATH,
      { ...clientCodec, encode: (items) => clientCodec.encode(items.slice(0, (encoded += items.length))) },
      { onMessage: () => {}, onClosed: closed.resolve },
    );
    stream.push(putRequest(1));
    const error = await closed.promise;
    expect(error).toMatchObject({ code: "RDB_UNAVAILABLE" });
    expect(error?.message).toContain("did not answer within 100 ms");
    expect(encoded).toBe(0);
  });

  test("a connection that falls silent without closing is given up by keepalive", async () => {
    const server = await echoServer();
    const proxy = await startProxy(server.port);
    cleanups.push(() => proxy.close());
    const caller = call(proxy.address, { keepalive: { intervalMs: 50, timeoutMs: 100 } });
    caller.stream.push(putRequest(1));
    await caller.answers(1);
    proxy.silence();
    const silentSinceMs = performance.now();
    caller.stream.push(putRequest(2));
    const error = await caller.closed;
    const tookMs = performance.now() - silentSinceMs;
    expect(error).toMatchObject({ code: "RDB_UNAVAILABLE" });
    expect(error?.message).toContain("silent");
    expect(tookMs).toBeGreaterThan(90);
    expect(tookMs).toBeLessThan(1_000);
  });

  test("a quiet but living connection is kept", async () => {
    const server = await echoServer();
    let rounds = 0;
    const enough = Promise.withResolvers<void>();
    // Counts the rounds of keepalive, each of which sets a timer.
    const clock: Clock = {
      ...systemClock,
      setTimer: (delayMs, callback) => {
        if (++rounds > 20) {
          enough.resolve();
        }
        return systemClock.setTimer(delayMs, callback);
      },
    };
    const caller = call(server.address, { clock, keepalive: { intervalMs: 10, timeoutMs: 500 } });
    caller.stream.push(putRequest(1));
    await caller.answers(1);
    await enough.promise;
    caller.stream.push(putRequest(2));
    await caller.answers(2);
    expect(caller.closedCount()).toBe(0);
  });

  test("graceful close of the server lets answers arrive and ends streams without error", async () => {
    const held: (() => void)[] = [];
    const arrived = Promise.withResolvers<void>();
    let ended = (): void => {};
    const server = await startEchoServer({
      onRequests: (stream, requests) => {
        for (const request of requests) {
          held.push(() => stream.push(putResponse(request.requestId)));
        }
        ended = () => stream.close();
        arrived.resolve();
      },
    });
    const caller = call(server.address);
    caller.stream.push(putRequest(7));
    await arrived.promise;
    const closed = server.close(5_000);
    for (const answer of held) {
      answer();
    }
    ended();
    expect(await caller.closed).toBeUndefined();
    expect(caller.received).toEqual([7]);
    await closed;
    expect(caller.connection.isOpen).toBe(false);
  });

  test("graceful close cuts streams that do not end within the grace", async () => {
    const arrived = Promise.withResolvers<void>();
    // Nothing is answered, and the stream is not closed when the client has ended its side.
    const server = new RpcServer({ host: "127.0.0.1", port: 0, logger: silentLogger, clock: systemClock });
    server.handleStream(BATCH_PATH, serverCodec, () => ({
      onMessage: () => arrived.resolve(),
      onEnd: () => {},
      onClosed: () => {},
    }));
    await server.listen();
    const caller = call(server.address);
    caller.stream.push(putRequest(1));
    await arrived.promise;
    const startedMs = performance.now();
    await server.close(100);
    const tookMs = performance.now() - startedMs;
    expect(tookMs).toBeGreaterThan(90);
    expect(tookMs).toBeLessThan(2_000);
    expect(await caller.closed).toMatchObject({ code: "RDB_UNAVAILABLE" });
  });

  test("calls from the address that it is told", async () => {
    const callerAddress = Promise.withResolvers<string>();
    const server = await echoServer({
      onRequests: (stream) => callerAddress.resolve(stream.peerAddress),
    });
    const caller = call(server.address, { localAddress: "127.0.0.2" });
    caller.stream.push(putRequest(1));
    expect(await callerAddress.promise).toMatch(/^127\.0\.0\.2:\d+$/);
  });

  test("measures round trips", async () => {
    const server = await echoServer();
    const caller = call(server.address, { keepalive: { intervalMs: 10, timeoutMs: 1_000 } });
    caller.stream.push(putRequest(1));
    await caller.answers(1);
    await expect.poll(() => caller.connection.roundTripMs).toBeGreaterThan(0);
  });

  test("an address that is not host:port is refused by name", () => {
    expect(() => new RpcConnection({ address: "localhost", clock: systemClock })).toThrow(/"localhost"/);
    expect(() => new RpcConnection({ address: "a:99999", clock: systemClock })).toThrow(/a:99999/);
  });
});
