import { once } from "node:events";
import https from "node:https";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import tls from "node:tls";
import { createClient } from "@connectrpc/connect";
import { type Logger, RdbError, silentLogger, systemClock } from "@flaredb/rdb-base";
import { KvService, type KvRequest, type KvResponse } from "@flaredb/rdb-proto";
import { afterEach, describe, expect, test } from "vitest";
import { httpWire } from "../http-wire.ts";
import { BATCH_PATH, clientCodec, putRequest, putResponse, serverCodec } from "../testing/echo.ts";
import { testFile, testIdentity, testTlsFiles } from "../testing/tls-files.ts";
import type { Wire, WireServer } from "../wire.ts";
import { fromConnectError } from "../error-mapping.ts";
import { type HttpServerFactory, httpsServerFactory } from "./https-server.ts";
import { TlsIdentity } from "./tls-identity.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) {
    await cleanup();
  }
});

/** A server of the hot method and of `get`, and how many requests came through. */
async function serve(wire: Wire, logger: Logger = silentLogger) {
  let requestCount = 0;
  const server = wire.serve({
    ...{ host: "127.0.0.1", port: 0, logger, clock: systemClock },
    routes: (router) =>
      router.service(KvService, {
        get: () => {
          requestCount++;
          return { value: new Uint8Array([1]) };
        },
      }),
  });
  server.handleStream<KvResponse, KvRequest[]>(BATCH_PATH, serverCodec, (stream) => ({
    onMessage: (requests) => {
      requestCount += requests.length;
      for (const { requestId } of requests) {
        stream.push(putResponse(requestId));
      }
    },
    onEnd: () => stream.close(),
    onClosed: () => {},
  }));
  await server.listen();
  cleanups.push(() => server.close(0));
  return { server, requestCount: () => requestCount };
}

/** Puts by the hot stream: the answer's request id, or the error that ended it. */
function putOver(wire: Wire, address: string): Promise<number | RdbError | undefined> {
  return new Promise((resolve) => {
    const connection = wire.connect({ address, clock: systemClock });
    cleanups.push(() => connection.close());
    const stream = connection.openStream(BATCH_PATH, clientCodec, {
      onMessage: (responses) => resolve(responses[0]?.requestId),
      onClosed: resolve,
    });
    stream.push(putRequest(7));
  });
}

/** Gets by a unary call: its bytes, or the error. */
async function getOver(wire: Wire, address: string): Promise<number | RdbError | undefined> {
  const caller = wire.unary(address);
  try {
    const { value } = await createClient(KvService, caller.transport).get({}, { timeoutMs: 5_000 });
    return value[0];
  } catch (error) {
    return fromConnectError(error);
  } finally {
    caller.close();
  }
}

async function serveHttps(identity: TlsIdentity): Promise<number> {
  const create = httpsServerFactory(identity, silentLogger) as HttpServerFactory;
  const server = create((_request, response) => response.end("healthy"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The body of the answer, or the error. */
function fetchFrom(port: number, identity: TlsIdentity): Promise<string> {
  const options = { host: "127.0.0.1", port, agent: false, secureContext: identity.secureContext };
  return new Promise((resolve, reject) => {
    https
      .get(options, (response) => {
        response.on("data", (chunk: Buffer) => resolve(chunk.toString()));
      })
      .on("error", reject);
  });
}

const unavailable = expect.objectContaining({ code: "RDB_UNAVAILABLE" });

/** How a connection ends that was not taken: with a word of TLS, or without one. */
const REFUSED = /alert|socket hang up|ECONNRESET/;

/** Clients that no server of mutual TLS may serve. */
const strangers: readonly [string, () => TlsIdentity][] = [
  ["without a certificate", () => testIdentity()],
  ["with a foreign certificate", () => testIdentity("foreign")],
  ["with an expired certificate", () => testIdentity("expired")],
];

describe("mutual TLS", () => {
  test("those with certificates of the same authority talk, by name and by address", async () => {
    const wire = httpWire(testIdentity("member"));
    const { server } = await serve(wire);
    for (const address of [server.address, `localhost:${server.port}`]) {
      expect(await putOver(wire, address)).toBe(7);
      expect(await getOver(wire, address)).toBe(1);
    }
    expect(await fetchFrom(await serveHttps(testIdentity("member")), testIdentity("renewed"))).toBe(
      "healthy",
    );
  });

  test.each(strangers)("a client %s gets nothing", async (_name, stranger) => {
    const { server, requestCount } = await serve(httpWire(testIdentity("member")));
    const wire = httpWire(stranger());
    expect(await putOver(wire, server.address)).toEqual(unavailable);
    expect(await getOver(wire, server.address)).toEqual(unavailable);
    expect(requestCount()).toBe(0);
    await expect(fetchFrom(await serveHttps(testIdentity("member")), stranger())).rejects.toThrow(REFUSED);
  });

  test("a client without TLS gets nothing", async () => {
    const { server, requestCount } = await serve(httpWire(testIdentity("member")));
    expect(await putOver(httpWire(), server.address)).toEqual(unavailable);
    expect(await getOver(httpWire(), server.address)).toBeInstanceOf(RdbError);
    expect(requestCount()).toBe(0);
    const port = await serveHttps(testIdentity("member"));
    await expect(once(http.get({ host: "127.0.0.1", port, agent: false }), "response")).rejects.toThrow(
      REFUSED,
    );
  });

  test.each(["foreign", "expired", "elsewhere"] as const)(
    "a server whose certificate is %s hears nothing of a client",
    async (name) => {
      // It asks nobody for a certificate: only the client can object.
      const { ca: _, ...own } = testTlsFiles(name);
      const { server, requestCount } = await serve(httpWire(TlsIdentity.open(own)));
      const wire = httpWire(testIdentity("member"));
      expect(await putOver(wire, server.address)).toEqual(unavailable);
      expect(await getOver(wire, server.address)).toEqual(unavailable);
      expect(requestCount()).toBe(0);
    },
  );

  test("a wrong host name is named in the error", async () => {
    const { server } = await serve(httpWire(testIdentity("elsewhere")));
    const error = await putOver(httpWire(testIdentity("member")), server.address);
    expect(String(error)).toMatch(/127\.0\.0\.1 is not in the cert's list/);
  });

  test("a server tells once for each reason whom it turns away", async () => {
    const warnings: unknown[] = [];
    const logger = { ...silentLogger, warn: (fields: object) => warnings.push(fields) } as Logger;
    const { server } = await serve(httpWire(testIdentity("member")), logger);
    for (const name of ["foreign", "expired", "foreign", "expired"] as const) {
      await putOver(httpWire(testIdentity(name)), server.address);
    }
    expect(warnings).toEqual([{ reason: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" }, { reason: "CERT_HAS_EXPIRED" }]);
  });
});

test("without an authority a server encrypts, and asks nobody who it is", async () => {
  const { ca: _, ...own } = testTlsFiles("member");
  const { server } = await serve(httpWire(TlsIdentity.open(own)));
  expect(await putOver(httpWire(testIdentity()), server.address)).toBe(7);
  // Whom the system's authorities do not know is not trusted.
  expect(await putOver(httpWire(TlsIdentity.open({})), server.address)).toEqual(unavailable);
});

test("a version of TLS before 1.3 is refused", async () => {
  const { server } = await serve(httpWire(testIdentity("member")));
  const socket = tls.connect({ port: server.port, host: "127.0.0.1", maxVersion: "TLSv1.2" });
  await expect(once(socket, "secureConnect")).rejects.toThrow("protocol version");
});

test("a close does not wait for those who never introduce themselves", async () => {
  const { server } = await serve(httpWire(testIdentity("member")));
  await connectedTo(server);
  const startedMs = performance.now();
  await server.close(60_000);
  expect(performance.now() - startedMs).toBeLessThan(5_000);
});

async function connectedTo(server: WireServer): Promise<void> {
  const socket = net.connect({ host: "127.0.0.1", port: server.port });
  cleanups.push(() => socket.destroy());
  socket.on("error", () => {});
  await once(socket, "connect");
}

test.each<[string, () => unknown, string]>([
  ["a file that is not there", () => ({ ca: "/nowhere/ca.crt" }), "TLS file /nowhere/ca.crt cannot be read"],
  ["a file that is no certificate", () => ({ ca: testFile("README.md") }), "cannot be read"],
  ["a certificate without a key", () => ({ cert: testFile("member.crt") }), "must be given together"],
  [
    "another one's key",
    () => ({ cert: testFile("member.crt"), key: testFile("renewed.key") }),
    "renewed.key is not the one of certificate",
  ],
])("%s is refused", (_name, files, message) => {
  expect(() => TlsIdentity.open(files() as object)).toThrow(
    expect.objectContaining({ code: "RDB_CONFIG_INVALID", message: expect.stringContaining(message) }),
  );
});
