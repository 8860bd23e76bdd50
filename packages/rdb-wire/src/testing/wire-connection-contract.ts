import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { type RdbError, hasCode } from "@flaredb/rdb-base";
import { BATCH_PATH, clientCodec, putRequest, putResponse } from "./echo.ts";
import { type WireContractCase, callEcho, serveEcho } from "./wire-fixture.ts";

const isUnavailable = (error: unknown): boolean => hasCode(error, "RDB_UNAVAILABLE");

/** Connections: how they begin, fall silent and end, on both sides. */
export const connectionContract: readonly WireContractCase[] = [
  {
    name: "an address where nobody listens is RDB_UNAVAILABLE, and nothing was encoded",
    run: async (fixture) => {
      const server = await serveEcho(fixture);
      const { address } = server;
      await fixture.settle(server.close(0));
      const caller = callEcho(fixture, address);
      caller.stream.push(putRequest(1));
      strictEqual(caller.connection.isOpen, true);
      strictEqual(caller.connection.isConnected, false);
      const error = await fixture.settle(caller.closed);
      ok(isUnavailable(error));
      strictEqual(error?.details["address"], address);
      ok(isUnavailable(await fixture.settle(caller.connectionClosed)));
      strictEqual(caller.encodedCount(), 0);
      strictEqual(caller.stream.push(putRequest(2)), false);
      const open = (): unknown =>
        caller.connection.openStream(BATCH_PATH, clientCodec, { onMessage() {}, onClosed() {} });
      throws(open, isUnavailable);
    },
  },
  {
    name: "a port that accepts but never speaks is no connection: nothing is sent to it",
    run: async (fixture) => {
      const caller = callEcho(fixture, await fixture.hungAddress(), { connectTimeoutMs: 100 });
      caller.stream.push(putRequest(1));
      const error = await fixture.settle(caller.closed);
      ok(isUnavailable(error));
      ok(error?.message.includes("did not answer within 100 ms"));
      strictEqual(caller.encodedCount(), 0);
    },
  },
  {
    name: "a connection that falls silent without closing is given up by keepalive",
    run: async (fixture) => {
      const server = await serveEcho(fixture);
      const address = await fixture.reach(server);
      const caller = callEcho(fixture, address, { keepalive: { intervalMs: 50, timeoutMs: 100 } });
      caller.stream.push(putRequest(1));
      await fixture.settle(caller.answers(1));
      fixture.silence();
      const silentSinceMs = fixture.clientClock.monotonicMs();
      caller.stream.push(putRequest(2));
      const error = await fixture.settle(caller.closed);
      const tookMs = fixture.clientClock.monotonicMs() - silentSinceMs;
      ok(isUnavailable(error) && error?.message.includes("silent"));
      ok(tookMs > 90 && tookMs < 1_000, `took ${tookMs} ms`);
      deepStrictEqual(caller.events, ["open", "message", "closed", "connection closed"]);
    },
  },
  {
    name: "a quiet but living connection is kept, and its round trip is known",
    run: async (fixture) => {
      const server = await serveEcho(fixture);
      const caller = callEcho(fixture, server.address, {
        keepalive: { intervalMs: 10, timeoutMs: 100 },
      });
      caller.stream.push(putRequest(1));
      await fixture.settle(caller.answers(1));
      // Several times as long as a connection lives that does not answer.
      await fixture.pass(500);
      caller.stream.push(putRequest(2));
      await fixture.settle(caller.answers(2));
      ok(caller.connection.isConnected);
      ok((caller.connection.roundTripMs ?? 0) > 0);
      strictEqual(caller.stream.roundTripMs, caller.connection.roundTripMs);
    },
  },
  {
    name: "a server that dies tells every stream, once, and then the connection's owner",
    run: async (fixture) => {
      const arrived = Promise.withResolvers<void>();
      // The streams' ends go unanswered, so that the connection is cut under them.
      const server = await serveEcho(fixture, { onRequests: () => arrived.resolve(), onEnd: () => {} });
      const caller = callEcho(fixture, server.address);
      const secondClosed = Promise.withResolvers<RdbError | undefined>();
      caller.connection.openStream(BATCH_PATH, clientCodec, {
        onMessage: () => {},
        onClosed: (error) => {
          caller.events.push("second closed");
          secondClosed.resolve(error);
        },
      });
      caller.stream.push(putRequest(1));
      await fixture.settle(arrived.promise);
      await fixture.settle(server.close(0));
      ok(isUnavailable(await fixture.settle(caller.closed)));
      ok(isUnavailable(await fixture.settle(secondClosed.promise)));
      await fixture.settle(caller.connectionClosed);
      caller.connection.close();
      deepStrictEqual(caller.events.toSorted(), ["closed", "connection closed", "open", "second closed"]);
      strictEqual(caller.events.at(-1), "connection closed");
    },
  },
  {
    name: "closing the connection ends its streams at once with RDB_CLOSED, and the server is told",
    run: async (fixture) => {
      const serverClosed = Promise.withResolvers<RdbError | undefined>();
      const server = await serveEcho(fixture, { onClosed: serverClosed.resolve });
      const caller = callEcho(fixture, server.address);
      caller.stream.push(putRequest(1));
      await fixture.settle(caller.answers(1));
      caller.connection.close();
      deepStrictEqual(caller.events, ["open", "message", "closed", "connection closed"]);
      strictEqual((await caller.closed)?.code, "RDB_CLOSED");
      strictEqual(await caller.connectionClosed, undefined);
      strictEqual(caller.stream.isOpen, false);
      ok(isUnavailable(await fixture.settle(serverClosed.promise)));
    },
  },
  {
    name: "graceful close of the server lets answers arrive and ends streams without error",
    run: async (fixture) => {
      const held: (() => void)[] = [];
      const arrived = Promise.withResolvers<void>();
      const server = await serveEcho(fixture, {
        onRequests: (stream, requests) => {
          held.push(
            () => requests.forEach(({ requestId }) => stream.push(putResponse(requestId))),
            () => stream.close(),
          );
          arrived.resolve();
        },
        onEnd: () => {},
      });
      const caller = callEcho(fixture, server.address);
      caller.stream.push(putRequest(7));
      await fixture.settle(arrived.promise);
      const startedMs = fixture.serverClock.monotonicMs();
      const closed = server.close(5_000);
      for (const step of held) {
        step();
      }
      strictEqual(await fixture.settle(caller.closed), undefined);
      await fixture.settle(closed);
      ok(fixture.serverClock.monotonicMs() - startedMs < 1_000, "closed when the last stream ended");
      strictEqual(await fixture.settle(caller.connectionClosed), undefined);
      deepStrictEqual(caller.received, [7]);
      strictEqual(caller.connection.isOpen, false);
    },
  },
  {
    name: "graceful close cuts streams that do not end within the grace",
    run: async (fixture) => {
      const arrived = Promise.withResolvers<void>();
      const server = await serveEcho(fixture, {
        onRequests: () => arrived.resolve(),
        // Nothing is answered, and the stream is not closed when the client has ended its side.
        onEnd: () => {},
      });
      const caller = callEcho(fixture, server.address);
      caller.stream.push(putRequest(1));
      await fixture.settle(arrived.promise);
      const startedMs = fixture.serverClock.monotonicMs();
      await fixture.settle(server.close(100));
      const tookMs = fixture.serverClock.monotonicMs() - startedMs;
      ok(tookMs > 90 && tookMs < 2_000, `took ${tookMs} ms`);
      ok(isUnavailable(await fixture.settle(caller.closed)));
    },
  },
  {
    name: "an address in use is refused with what to do about it",
    run: async (fixture) => {
      const first = await serveEcho(fixture);
      await rejects(serveEcho(fixture, { port: first.port }), (error: unknown) => {
        ok(hasCode(error, "RDB_ADDRESS_IN_USE"));
        return error.message.includes(first.address);
      });
    },
  },
];
