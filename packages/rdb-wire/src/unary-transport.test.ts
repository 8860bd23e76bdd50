import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { createClient } from "@connectrpc/connect";
import { silentLogger, systemClock } from "@flaredb/rdb-base";
import { PdService } from "@flaredb/rdb-proto";
import { afterEach, expect, test } from "vitest";
import { fromConnectError } from "./error-mapping.ts";
import { noListenCounts } from "./listen-counts.ts";
import { RpcServer } from "./rpc-server.ts";
import { unaryTransport } from "./unary-transport.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

/** A PD whose heartbeat stream answers each request, and whose cluster info never comes. */
async function startServer(onClusterInfo = (): void => {}): Promise<RpcServer> {
  const server = new RpcServer({
    host: "127.0.0.1",
    port: 0,
    logger: silentLogger,
    clock: systemClock,
    routes: (router) => {
      router.service(PdService, {
        getClusterInfo() {
          onClusterInfo();
          return new Promise(() => {});
        },
        async *regionHeartbeat(requests) {
          for await (const _request of requests) {
            yield {};
          }
        },
      });
    },
  });
  await server.listen();
  cleanups.push(() => server.close(0));
  return server;
}

interface Relay {
  readonly port: number;
  silence(): void;
  /** The caller's side of the connection is gone, and everything that its end sets off is over. */
  readonly callerClosed: Promise<void>;
}

/** Stands before a port; `silence` stops carrying anything, as a pulled cable does. */
async function startRelay(targetPort: number): Promise<Relay> {
  const callerClosed = Promise.withResolvers<void>();
  let isSilent = false;
  const relay = net.createServer((caller) => {
    const target = net.connect(targetPort, "127.0.0.1");
    for (const [from, to] of [
      [caller, target],
      [target, caller],
    ] as const) {
      from.on("data", (chunk) => isSilent || to.write(chunk));
      from.on("error", () => {});
      cleanups.push(() => from.destroy());
    }
    caller.on("close", () => setImmediate(() => callerClosed.resolve()));
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  cleanups.push(() => relay.close());
  return {
    port: (relay.address() as AddressInfo).port,
    silence() {
      isSilent = true;
    },
    callerClosed: callerClosed.promise,
  };
}

test("a connection closed in the moment in which it is given up for silence hurts nobody", async () => {
  const server = await startServer();
  const relay = await startRelay(server.port);
  const connection = unaryTransport(`127.0.0.1:${relay.port}`, {
    keepalive: { intervalMs: 50, timeoutMs: 100 },
  });
  const over = new AbortController();
  const requests = async function* () {
    yield {};
    await once(over.signal, "abort");
  };
  const unhandled: unknown[] = [];
  const collect = (error: unknown): number => unhandled.push(error);
  process.on("uncaughtException", collect);
  cleanups.push(() => process.off("uncaughtException", collect));

  let failure: unknown;
  try {
    for await (const _response of createClient(PdService, connection.transport).regionHeartbeat(requests())) {
      relay.silence();
    }
  } catch (error) {
    failure = error;
    connection.close();
  }
  over.abort();
  expect(fromConnectError(failure).code).toBe("RDB_UNAVAILABLE");
  await relay.callerClosed;
  expect(unhandled).toEqual([]);
});

test("closing ends the calls in flight", async () => {
  const arrived = Promise.withResolvers<void>();
  const server = await startServer(arrived.resolve);
  const connection = unaryTransport(server.address);
  const call = createClient(PdService, connection.transport)
    .getClusterInfo({})
    .catch((error: unknown) => fromConnectError(error).code);
  await arrived.promise;
  connection.close();
  expect(await call).toMatch(/^RDB_(UNAVAILABLE|ABORTED)$/);
});

test("a connection that is given up for silence throws nothing at the process when the next call comes at once", async () => {
  const silent = net.createServer((caller) => {
    // What it is sent is read, and never answered.
    caller.on("error", () => {}).resume();
  });
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  cleanups.push(() => silent.close());
  const keepalive = { intervalMs: 30, timeoutMs: 30 };
  const { port } = silent.address() as AddressInfo;
  const { transport, close } = unaryTransport(`127.0.0.1:${port}`, { keepalive });
  cleanups.push(close);
  const client = createClient(PdService, transport);
  const thrown: unknown[] = [];
  const note = (error: unknown): void => void thrown.push(error);
  process.on("uncaughtException", note);
  cleanups.push(() => process.off("uncaughtException", note));
  const call = (): Promise<unknown> => client.getClusterInfo({}).catch((error: unknown) => error);

  for (let round = 0; round < 3; round++) {
    // The next call begins while the socket of the connection before is still being closed.
    expect(fromConnectError(await call()).code).toBe("RDB_UNAVAILABLE");
  }
  expect(thrown).toEqual([]);
});

test("who was sent away for wanting nothing is served again at the next call", async () => {
  const counts = noListenCounts();
  const server = new RpcServer({
    ...{ host: "127.0.0.1", port: 0, logger: silentLogger, clock: systemClock, counts },
    limits: { idleTimeoutMs: 20 },
    routes: (router) => router.service(PdService, { getClusterInfo: () => ({ clusterId: 7n }) }),
  });
  await server.listen();
  cleanups.push(() => server.close(0));
  const { transport, close } = unaryTransport(server.address);
  cleanups.push(close);
  const client = createClient(PdService, transport);
  for (let round = 1; round <= 3; round++) {
    expect((await client.getClusterInfo({})).clusterId).toBe(7n);
    await expect.poll(() => counts.connectionsCut.idle.value).toBe(round);
    await expect.poll(() => counts.connections.value).toBe(0);
  }
});
