import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import { KiB, RdbError, hasCode } from "@flaredb/rdb-base";
import { putRequest, putResponse } from "./echo.ts";
import { type WireContractCase, answerAll, callEcho, serveEcho } from "./wire-fixture.ts";

/** Streams of batches: order, batches, and how they end. */
export const streamContract: readonly WireContractCase[] = [
  {
    name: "carries many requests in order, with values past every window",
    run: async (fixture) => {
      const server = await serveEcho(fixture);
      const caller = callEcho(fixture, server.address);
      const ids = Array.from({ length: 256 }, (_, id) => id);
      for (const id of ids) {
        ok(caller.stream.push(putRequest(id, new Uint8Array(64 * KiB))));
      }
      await fixture.settle(caller.answers(256));
      deepStrictEqual(caller.received, ids);
      strictEqual(caller.stream.queuedCount, 0);
      strictEqual(caller.stream.queuedBytes, 0);
    },
  },
  {
    name: "groups what one turn makes into one message",
    run: async (fixture) => {
      const messages: number[] = [];
      const server = await serveEcho(fixture, {
        onRequests: (stream, requests) => {
          messages.push(requests.length);
          answerAll(stream, requests);
        },
      });
      const caller = callEcho(fixture, server.address);
      caller.stream.push(putRequest(1));
      await fixture.settle(caller.answers(1));
      for (let id = 2; id <= 101; id++) {
        caller.stream.push(putRequest(id));
      }
      await fixture.settle(caller.answers(101));
      deepStrictEqual(messages, [1, 100]);
    },
  },
  {
    name: "close waits for the answers and then reports no error, once; open comes first",
    run: async (fixture) => {
      const serverClosed = Promise.withResolvers<RdbError | undefined>();
      const server = await serveEcho(fixture, { onClosed: serverClosed.resolve });
      const caller = callEcho(fixture, server.address);
      caller.stream.push(putRequest(1));
      await fixture.settle(caller.answers(1));
      caller.stream.push(putRequest(2));
      caller.stream.close();
      strictEqual(caller.stream.isOpen, false);
      strictEqual(caller.stream.push(putRequest(3)), false);
      strictEqual(await fixture.settle(caller.closed), undefined);
      strictEqual(await fixture.settle(serverClosed.promise), undefined);
      await fixture.pass(20);
      deepStrictEqual(caller.received, [1, 2]);
      deepStrictEqual(caller.events, ["open", "message", "message", "closed"]);
    },
  },
  {
    name: "closed before its connection is made, it sends what was pushed first, and waits for the answers",
    run: async (fixture) => {
      const server = await serveEcho(fixture);
      const caller = callEcho(fixture, server.address);
      ok(caller.stream.push(putRequest(1)));
      ok(caller.stream.push(putRequest(2)));
      strictEqual(caller.connection.isConnected, false);
      caller.stream.close();
      strictEqual(caller.stream.isOpen, false);
      strictEqual(caller.stream.push(putRequest(3)), false);
      strictEqual(await fixture.settle(caller.closed), undefined);
      deepStrictEqual(caller.received, [1, 2]);
      deepStrictEqual(caller.events, ["open", "message", "closed"]);
    },
  },
  {
    name: "closed before its connection is made with nothing to send, it ends at once and calls nobody",
    run: async (fixture) => {
      const server = await serveEcho(fixture);
      const caller = callEcho(fixture, server.address);
      caller.stream.close();
      deepStrictEqual(caller.events, ["closed"]);
      strictEqual(await caller.closed, undefined);
    },
  },
  {
    name: "closed before a connection that is never made, it tells so: nobody waits for ever",
    run: async (fixture) => {
      const caller = callEcho(fixture, await fixture.hungAddress(), { connectTimeoutMs: 100 });
      caller.stream.push(putRequest(1));
      caller.stream.close();
      deepStrictEqual(caller.events, []);
      strictEqual((await fixture.settle(caller.closed))?.code, "RDB_UNAVAILABLE");
      strictEqual(caller.encodedCount(), 0);
    },
  },
  {
    name: "a server's status comes after its last message, with our code",
    run: async (fixture) => {
      const server = await serveEcho(fixture, {
        onRequests: (stream, requests) => {
          answerAll(stream, requests);
          stream.close(new RdbError("RDB_SERVER_IS_BUSY", "queue proposals is full: 100 % – wait"));
          strictEqual(stream.push(putResponse(99)), false);
        },
      });
      const caller = callEcho(fixture, server.address);
      caller.stream.push(putRequest(1));
      const error = await fixture.settle(caller.closed);
      strictEqual(error?.code, "RDB_SERVER_IS_BUSY");
      strictEqual(error.message, "queue proposals is full: 100 % – wait");
      deepStrictEqual(caller.events, ["open", "message", "closed"]);
    },
  },
  {
    name: "a server that ends a stream unasked, with status OK, is RDB_UNAVAILABLE",
    run: async (fixture) => {
      const server = await serveEcho(fixture, { onRequests: (stream) => stream.close() });
      const caller = callEcho(fixture, server.address);
      caller.stream.push(putRequest(1));
      strictEqual((await fixture.settle(caller.closed))?.code, "RDB_UNAVAILABLE");
    },
  },
  {
    name: "destroy ends at once with the error given, and the server is told",
    run: async (fixture) => {
      const serverClosed = Promise.withResolvers<RdbError | undefined>();
      const server = await serveEcho(fixture, { onClosed: serverClosed.resolve });
      const caller = callEcho(fixture, server.address);
      caller.stream.push(putRequest(1));
      await fixture.settle(caller.answers(1));
      caller.stream.destroy(new RdbError("RDB_ABORTED", "enough"));
      deepStrictEqual(caller.events, ["open", "message", "closed"]);
      strictEqual((await caller.closed)?.code, "RDB_ABORTED");
      const told = (await fixture.settle(serverClosed.promise))?.code;
      ok(told === "RDB_UNAVAILABLE" || (told === undefined && fixture.endsBeforeReset === true));
    },
  },
  {
    name: "a malformed message ends its stream with RDB_INVALID_ARGUMENT and hurts no other",
    run: async (fixture) => {
      const server = await serveEcho(fixture);
      const good = callEcho(fixture, server.address);
      const bad = callEcho(fixture, server.address, {
        // Field 1 claims more bytes than follow.
        codec: { encode: () => new Uint8Array([0x0a, 0x7f, 0x01]) },
      });
      bad.stream.push(putRequest(1));
      strictEqual((await fixture.settle(bad.closed))?.code, "RDB_INVALID_ARGUMENT");
      good.stream.push(putRequest(5));
      await fixture.settle(good.answers(1));
      deepStrictEqual(good.received, [5]);
    },
  },
  {
    name: "push says no when the queue is full, and yes again when it is not",
    run: async (fixture) => {
      const server = await serveEcho(fixture);
      const caller = callEcho(fixture, server.address, {
        codec: { limits: { queueMaxCount: 3 } },
      });
      const taken = [1, 2, 3, 4, 5].map((id) => caller.stream.push(putRequest(id)));
      deepStrictEqual(taken, [true, true, true, false, false]);
      strictEqual(caller.stream.queuedCount, 3);
      await fixture.settle(caller.answers(3));
      ok(caller.stream.push(putRequest(6)));
      await fixture.settle(caller.answers(4));
      deepStrictEqual(caller.received, [1, 2, 3, 6]);
    },
  },
  {
    name: "a method that is not served is an error of the stream",
    run: async (fixture) => {
      const server = await serveEcho(fixture);
      const { connection } = callEcho(fixture, server.address);
      const closed = Promise.withResolvers<RdbError | undefined>();
      connection.openStream(
        "/rdb.v1.KvService/Nothing",
        { encode: () => new Uint8Array(0), sizeOf: () => 1, decode: () => 0 },
        { onMessage: () => {}, onClosed: closed.resolve },
      );
      strictEqual((await fixture.settle(closed.promise))?.code, "RDB_INTERNAL");
    },
  },
  {
    name: "an address that is not host:port is refused by name",
    run: async (fixture) => {
      for (const address of ["localhost", "a:99999"]) {
        const refuses = (error: unknown): boolean =>
          hasCode(error, "RDB_INVALID_ARGUMENT") && error.message.includes(address);
        throws(() => fixture.client.connect({ address, clock: fixture.clientClock }), refuses);
        throws(() => fixture.client.unary(address), refuses);
      }
      await Promise.resolve();
    },
  },
];
