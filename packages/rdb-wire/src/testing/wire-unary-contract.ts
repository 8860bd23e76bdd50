import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, createClient } from "@connectrpc/connect";
import { type ErrorCode, RdbError, limits } from "@flaredb/rdb-base";
import {
  KvService,
  PdService,
  RaftService,
  type SnapshotRequest,
  SnapshotRequestSchema,
} from "@flaredb/rdb-proto";
import { fromConnectError } from "../error-mapping.ts";
import { type WireContractCase, type WireFixture, serveEcho } from "./wire-fixture.ts";

/** How a call failed: connect's code, and ours. */
async function failure(
  fixture: WireFixture,
  call: Promise<unknown>,
): Promise<{ readonly connect: Code; readonly code: ErrorCode; readonly message: string }> {
  const reason: unknown = await fixture.settle(
    call.then(
      () => new Error("the call succeeded"),
      (error: unknown) => error,
    ),
  );
  ok(reason instanceof ConnectError, String(reason));
  const { code, message } = fromConnectError(reason);
  return { connect: reason.code, code, message };
}

/** A call of `get` that is never answered, and when it arrived and was given up. */
function unanswered(): {
  readonly routes: (router: ConnectRouter) => void;
  readonly arrived: Promise<void>;
  readonly abandoned: Promise<void>;
} {
  const arrived = Promise.withResolvers<void>();
  const abandoned = Promise.withResolvers<void>();
  const routes = (router: ConnectRouter): void => {
    router.service(KvService, {
      get: (_request, { signal }) => {
        signal.addEventListener("abort", () => abandoned.resolve());
        arrived.resolve();
        return new Promise(() => {});
      },
    });
  };
  return { routes, arrived: arrived.promise, abandoned: abandoned.promise };
}

/** Calls by connect: unary methods, and streams that are not hot. */
export const unaryContract: readonly WireContractCase[] = [
  {
    name: "unary methods answer, or fail with our codes",
    run: async (fixture) => {
      const server = await serveEcho(fixture, {
        routes: (router) =>
          router.service(KvService, {
            get: ({ key }) => ({ found: true, value: key, version: 7n }),
            put: ({ key }) => {
              throw key.length === 0
                ? new TypeError("a bug")
                : new RdbError("RDB_SERVER_IS_BUSY", "queue is full: wait – 100 %");
            },
          }),
      });
      const { transport, close } = fixture.client.unary(server.address);
      const client = createClient(KvService, transport);
      const found = await fixture.settle(client.get({ key: new Uint8Array([1, 2]) }));
      deepStrictEqual([found.found, found.value, found.version], [true, new Uint8Array([1, 2]), 7n]);
      deepStrictEqual(await failure(fixture, client.put({ key: new Uint8Array([1]) })), {
        connect: Code.ResourceExhausted,
        code: "RDB_SERVER_IS_BUSY",
        message: "queue is full: wait – 100 %",
      });
      strictEqual((await failure(fixture, client.put({}))).code, "RDB_INTERNAL");
      strictEqual((await failure(fixture, client.delete({}))).connect, Code.Unimplemented);
      const unknown = createClient(PdService, transport).getClusterInfo({});
      strictEqual((await failure(fixture, unknown)).connect, Code.Unimplemented);
      close();
    },
  },
  {
    name: "a call that takes too long is DeadlineExceeded, and the server is told",
    run: async (fixture) => {
      const { routes, abandoned } = unanswered();
      const server = await serveEcho(fixture, { routes });
      const { transport, close } = fixture.client.unary(server.address);
      const startedMs = fixture.clientClock.monotonicMs();
      const call = createClient(KvService, transport).get({}, { timeoutMs: 100 });
      const { connect, code } = await failure(fixture, call);
      const tookMs = fixture.clientClock.monotonicMs() - startedMs;
      deepStrictEqual([connect, code], [Code.DeadlineExceeded, "RDB_DEADLINE_EXCEEDED"]);
      ok(tookMs > 90 && tookMs < 1_000, `took ${tookMs} ms`);
      await fixture.settle(abandoned);
      close();
    },
  },
  {
    name: "a call that is given up is Canceled, and the server is told",
    run: async (fixture) => {
      const { routes, arrived, abandoned } = unanswered();
      const server = await serveEcho(fixture, { routes });
      const { transport, close } = fixture.client.unary(server.address);
      const over = new AbortController();
      const outcome = failure(
        fixture,
        createClient(KvService, transport).get({}, { signal: over.signal, timeoutMs: 10_000 }),
      );
      await fixture.settle(arrived);
      over.abort();
      const { connect, code } = await outcome;
      deepStrictEqual([connect, code], [Code.Canceled, "RDB_ABORTED"]);
      await fixture.settle(abandoned);
      close();
    },
  },
  {
    name: "an address where nobody listens is Unavailable, and found again when somebody does",
    run: async (fixture) => {
      const routes = (router: ConnectRouter): void => {
        router.service(KvService, { get: () => ({ found: true }) });
      };
      const first = await serveEcho(fixture, { routes });
      const { transport, close } = fixture.client.unary(first.address);
      const client = createClient(KvService, transport);
      ok((await fixture.settle(client.get({}))).found);
      await fixture.settle(first.close(0));
      const { connect, code } = await failure(fixture, client.get({}));
      deepStrictEqual([connect, code], [Code.Unavailable, "RDB_UNAVAILABLE"]);
      await serveEcho(fixture, { routes, port: first.port });
      ok((await fixture.settle(client.get({}))).found);
      close();
    },
  },
  {
    name: "a connection that falls silent fails its calls",
    run: async (fixture) => {
      const { routes, arrived } = unanswered();
      const server = await serveEcho(fixture, { routes });
      const { transport, close } = fixture.client.unary(await fixture.reach(server), {
        keepalive: { intervalMs: 50, timeoutMs: 100 },
      });
      const outcome = failure(fixture, createClient(KvService, transport).get({}));
      await fixture.settle(arrived);
      fixture.silence();
      strictEqual((await outcome).code, "RDB_UNAVAILABLE");
      close();
    },
  },
  {
    name: "closing fails the calls in flight",
    run: async (fixture) => {
      const { routes, arrived, abandoned } = unanswered();
      const server = await serveEcho(fixture, { routes });
      const { transport, close } = fixture.client.unary(server.address);
      const outcome = failure(fixture, createClient(KvService, transport).get({}));
      await fixture.settle(arrived);
      close();
      ok(/^RDB_(UNAVAILABLE|ABORTED)$/.test((await outcome).code));
      await fixture.settle(abandoned);
    },
  },
  {
    name: "a message over the limit is refused by whoever receives it",
    run: async (fixture) => {
      const server = await serveEcho(fixture, {
        routes: (router) => router.service(KvService, { put: () => ({ version: 1n }) }),
      });
      const { transport, close } = fixture.client.unary(server.address);
      const client = createClient(KvService, transport);
      const key = new Uint8Array([1]);
      const fits = await fixture.settle(client.put({ key, value: new Uint8Array(2_000_000) }));
      strictEqual(fits.version, 1n);
      const tooLarge = client.put({ key, value: new Uint8Array(limits.messageMaxBytes + 1) });
      strictEqual((await failure(fixture, tooLarge)).connect, Code.ResourceExhausted);
      close();
    },
  },
  {
    name: "both sides of a stream go on beside each other",
    run: async (fixture) => {
      const server = await serveEcho(fixture, {
        routes: (router) =>
          router.service(PdService, {
            async *regionHeartbeat(requests) {
              for await (const _request of requests) {
                yield { command: { case: "reportAll", value: {} } };
              }
            },
          }),
      });
      const { transport, close } = fixture.client.unary(server.address);
      const turns: string[] = [];
      let answered = Promise.withResolvers<void>();
      const requests = async function* () {
        for (const storeId of [1n, 2n, 3n]) {
          turns.push(`sent ${storeId}`);
          yield { storeId };
          await answered.promise;
          answered = Promise.withResolvers();
        }
      };
      const calling = (async () => {
        for await (const { command } of createClient(PdService, transport).regionHeartbeat(requests())) {
          turns.push(String(command.case));
          answered.resolve();
        }
      })();
      await fixture.settle(calling);
      deepStrictEqual(
        turns,
        [1, 2, 3].flatMap((storeId) => [`sent ${storeId}`, "reportAll"]),
      );
      close();
    },
  },
  {
    name: "a stream to the server arrives whole, and its answer comes at the end",
    run: async (fixture) => {
      const arrived: number[] = [];
      const server = await serveEcho(fixture, {
        routes: (router) =>
          router.service(RaftService, {
            async snapshot(requests) {
              for await (const { part } of requests) {
                arrived.push(part.case === "chunk" ? part.value.data.length : 0);
              }
              return { accepted: true };
            },
          }),
      });
      const { transport, close } = fixture.client.unary(server.address);
      const chunks = async function* (): AsyncGenerator<SnapshotRequest> {
        for (let index = 0; index < 24; index++) {
          const value = { index, data: new Uint8Array(256 * 1024 + index) };
          yield create(SnapshotRequestSchema, { part: { case: "chunk", value } });
          await Promise.resolve();
        }
      };
      const answer = await fixture.settle(createClient(RaftService, transport).snapshot(chunks()));
      ok(answer.accepted);
      deepStrictEqual(
        arrived,
        Array.from({ length: 24 }, (_, index) => 256 * 1024 + index),
      );
      close();
    },
  },
];
