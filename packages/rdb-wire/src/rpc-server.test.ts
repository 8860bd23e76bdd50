import { execFile } from "node:child_process";
import http2, { type IncomingHttpHeaders } from "node:http2";
import net from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { create, toBinary } from "@bufbuild/protobuf";
import { type ConnectRouter, createClient } from "@connectrpc/connect";
import { AssertionError, RdbError, limits, silentLogger, systemClock } from "@flaredb/rdb-base";
import { BatchRequestSchema, KvService, encodeFrame } from "@flaredb/rdb-proto";
import { afterEach, describe, expect, test } from "vitest";
import { fromConnectError } from "./error-mapping.ts";
import { RpcConnection } from "./rpc-connection.ts";
import { RpcServer } from "./rpc-server.ts";
import { BATCH_PATH, clientCodec, putRequest, startEchoServer } from "./testing/echo.ts";
import { unaryTransport } from "./unary-transport.ts";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

/** Get answers with the key as value; Put fails as its key names; the rest is not implemented. */
const routes = (router: ConnectRouter): void => {
  router.service(KvService, {
    get: (request) => ({ found: true, value: request.key, version: 7n }),
    put: (request) => {
      const kind = new TextDecoder().decode(request.key);
      if (kind === "busy") {
        throw new RdbError("RDB_SERVER_IS_BUSY", "queue proposals is full: wait – 100 %");
      }
      throw new TypeError("a bug");
    },
  });
};

async function server(options: Parameters<typeof startEchoServer>[0] = {}): Promise<RpcServer> {
  const started = await startEchoServer({ routes, ...options });
  cleanups.push(() => started.close(0));
  return started;
}

interface RawAnswer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
}

/** Calls the hot method as a stranger would: any headers, any bytes, without ending its side. */
function rawCall(
  address: string,
  headers: Record<string, string>,
  body: Uint8Array,
  options: { readonly end?: boolean } = {},
): Promise<RawAnswer> {
  const session = http2.connect(`http://${address}`);
  cleanups.push(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": BATCH_PATH,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  return new Promise((resolve, reject) => {
    let answerHeaders: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on("response", (received) => {
      answerHeaders = received;
    });
    stream.on("trailers", (received) => {
      trailers = received;
    });
    stream.on("error", reject);
    stream.on("end", () => {
      resolve({ headers: answerHeaders, trailers });
      stream.close();
    });
    stream.resume();
    stream.write(body);
    if (options.end === true) {
      stream.end();
    }
  });
}

describe("RpcServer", () => {
  test("an address in use is refused with what to do about it", async () => {
    const first = await server();
    const second = new RpcServer({
      host: "127.0.0.1",
      port: first.port,
      logger: silentLogger,
      clock: systemClock,
    });
    await expect(second.listen()).rejects.toMatchObject({
      code: "RDB_ADDRESS_IN_USE",
      message: expect.stringContaining(first.address) as string,
    });
    await second.close(0);
  });

  test("a malformed message ends its stream with INVALID_ARGUMENT and hurts no other", async () => {
    const { address } = await server();
    const connection = new RpcConnection({ address, clock: systemClock });
    cleanups.push(() => connection.close());
    const answered = Promise.withResolvers<number>();
    const good = connection.openStream(BATCH_PATH, clientCodec, {
      onMessage: (responses) => answered.resolve(responses[0]?.requestId ?? -1),
      onClosed: (error) => answered.reject(error),
    });
    const closed = Promise.withResolvers<RdbError | undefined>();
    const bad = connection.openStream(
      BATCH_PATH,
      // Field 1 claims more bytes than follow.
      { ...clientCodec, encode: () => new Uint8Array([0x0a, 0x7f, 0x01]) },
      { onMessage: () => {}, onClosed: closed.resolve },
    );
    bad.push(putRequest(1));
    expect(await closed.promise).toMatchObject({
      code: "RDB_INVALID_ARGUMENT",
      message: expect.stringContaining("malformed") as string,
    });
    good.push(putRequest(5));
    expect(await answered.promise).toBe(5);
  });

  test("a compressed frame is INVALID_ARGUMENT, one over the limit RESOURCE_EXHAUSTED", async () => {
    const { address } = await server();
    const compressed = await rawCall(address, {}, new Uint8Array([1, 0, 0, 0, 0]));
    expect(compressed.trailers).toMatchObject({ "grpc-status": "3", "rdb-code": "RDB_INVALID_ARGUMENT" });
    const tooLong = new Uint8Array(5);
    new DataView(tooLong.buffer).setUint32(1, limits.messageMaxBytes + 1);
    const oversized = await rawCall(address, {}, tooLong);
    expect(oversized.trailers["grpc-status"]).toBe("8");
    expect(oversized.trailers["grpc-message"]).toContain(String(limits.messageMaxBytes));
  });

  test("a stream that ends inside a message is INVALID_ARGUMENT", async () => {
    const { address } = await server();
    const answer = await rawCall(address, {}, new Uint8Array([0, 0, 0, 0, 9, 1]), { end: true });
    expect(answer.trailers["grpc-status"]).toBe("3");
  });

  test("a call in good order ends with status OK", async () => {
    const { address } = await server();
    const request = toBinary(
      BatchRequestSchema,
      create(BatchRequestSchema, { regions: [{ requests: [putRequest(3)] }] }),
    );
    const answer = await rawCall(address, {}, encodeFrame(request), { end: true });
    expect(answer.headers).toMatchObject({ ":status": 200, "content-type": "application/grpc+proto" });
    expect(answer.trailers["grpc-status"]).toBe("0");
  });

  test("other content types, methods and encodings are refused as gRPC says", async () => {
    const { address } = await server();
    const nothing = new Uint8Array(0);
    const json = await rawCall(address, { "content-type": "application/json" }, nothing);
    expect(json.headers[":status"]).toBe(415);
    const put = await rawCall(address, { ":method": "PUT" }, nothing);
    expect(put.headers[":status"]).toBe(405);
    const gzip = await rawCall(address, { "grpc-encoding": "gzip" }, nothing);
    expect(gzip.headers).toMatchObject({ "grpc-status": "12", "grpc-accept-encoding": "identity" });
    const unknown = await rawCall(address, { ":path": "/rdb.v1.KvService/Nothing" }, nothing);
    expect(unknown.headers).toMatchObject({ ":status": 200, "grpc-status": "12" });
  });

  test("bytes that are no HTTP/2 hurt nobody", async () => {
    const { address, port } = await server();
    const socket = net.connect(port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\n\r\n"));
    await new Promise((resolve) => {
      socket.on("error", () => {});
      socket.on("close", resolve);
      socket.resume();
    });
    const answer = await rawCall(address, {}, new Uint8Array(0), { end: true });
    expect(answer.trailers["grpc-status"]).toBe("0");
  });

  test("a client that dies is told to the stream's owner", async () => {
    const closed = Promise.withResolvers<Error | undefined>();
    const arrived = Promise.withResolvers<void>();
    const { address } = await server({
      onRequests: () => arrived.resolve(),
      onClosed: (error) => closed.resolve(error),
    });
    const connection = new RpcConnection({ address, clock: systemClock });
    const stream = connection.openStream(BATCH_PATH, clientCodec, { onMessage() {}, onClosed() {} });
    stream.push(putRequest(1));
    await arrived.promise;
    connection.close();
    expect(await closed.promise).toMatchObject({ code: "RDB_UNAVAILABLE" });
  });

  test("a client that does not read is noticed: push says no when the queue is full", async () => {
    const full = Promise.withResolvers<number>();
    const { address } = await server({
      onRequests: (stream, requests) => {
        const id = requests[0]?.requestId ?? 0;
        let pushed = 0;
        while (stream.push({ ...requests[0], requestId: id } as never)) {
          pushed++;
        }
        full.resolve(pushed);
      },
    });
    const answer = rawCall(
      address,
      {},
      encodeFrame(
        toBinary(
          BatchRequestSchema,
          create(BatchRequestSchema, { regions: [{ requests: [putRequest(1)] }] }),
        ),
      ),
      { end: true },
    );
    expect(await full.promise).toBeGreaterThan(1_000);
    await answer;
  });
});

describe("unary services", () => {
  test("are served with our error codes in the trailers", async () => {
    const { address } = await server();
    const { transport, close } = unaryTransport(address);
    cleanups.push(close);
    const client = createClient(KvService, transport);
    const found = await client.get({ key: new Uint8Array([1, 2]) });
    expect(found).toMatchObject({ found: true, value: new Uint8Array([1, 2]), version: 7n });
    const busy = client.put({ key: new TextEncoder().encode("busy") });
    const error = fromConnectError(await busy.catch((reason: unknown) => reason));
    expect(error).toMatchObject({
      code: "RDB_SERVER_IS_BUSY",
      message: "queue proposals is full: wait – 100 %",
    });
    const bug = fromConnectError(
      await client.put({ key: new Uint8Array([9]) }).catch((reason: unknown) => reason),
    );
    expect(bug.code).toBe("RDB_INTERNAL");
  });

  test("an address where nobody listens is RDB_UNAVAILABLE, or what the caller names", async () => {
    const gone = await startEchoServer();
    const { address } = gone;
    await gone.close(0);
    const { transport, close } = unaryTransport(address);
    cleanups.push(close);
    const reason = await createClient(KvService, transport)
      .get({})
      .catch((error: unknown) => error);
    expect(fromConnectError(reason).code).toBe("RDB_UNAVAILABLE");
    expect(fromConnectError(reason, "RDB_PD_UNAVAILABLE").code).toBe("RDB_PD_UNAVAILABLE");
  });

  test("a broken invariant in a handler is no answer: it ends the process", async () => {
    const uncaught = Promise.withResolvers<unknown>();
    // vitest's own listeners would report what this test provokes.
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.once("uncaughtException", uncaught.resolve);
    cleanups.push(() => {
      for (const listener of listeners) {
        process.on("uncaughtException", listener);
      }
    });
    const { address } = await server({
      routes: (router) => {
        router.service(KvService, {
          get: () => {
            throw new AssertionError("applied <= committed");
          },
        });
      },
    });
    const { transport, close } = unaryTransport(address);
    cleanups.push(close);
    await createClient(KvService, transport)
      .get({})
      .catch(() => {});
    expect(await uncaught.promise).toBeInstanceOf(AssertionError);
  });
});

describe("a foreign client", () => {
  const root = fileURLToPath(new URL("../../../", import.meta.url));

  async function bufCurl(url: string, data: string): Promise<unknown> {
    const args = [
      "curl",
      "--http2-prior-knowledge",
      "--protocol",
      "grpc",
      "--schema",
      "proto",
      "--data",
      data,
    ];
    const { stdout } = await promisify(execFile)("node_modules/.bin/buf", [...args, url], {
      cwd: root,
      env: { ...process.env, BUF_CACHE_DIR: `${root}.cache/buf` },
    });
    return JSON.parse(stdout);
  }

  test("reaches a unary method", async () => {
    const { address } = await server();
    const answer = await bufCurl(`http://${address}/rdb.v1.KvService/Get`, '{"key":"YWJj"}');
    expect(answer).toEqual({ found: true, value: "YWJj", version: "7" });
  });

  test("reaches the hot Batch method", async () => {
    const { address } = await server();
    const data = '{"regions":[{"requests":[{"requestId":42,"put":{"key":"YQ==","value":"Yg=="}}]}]}';
    const answer = await bufCurl(`http://${address}/rdb.v1.KvService/Batch`, data);
    expect(answer).toEqual({ responses: [{ requestId: 42, put: { version: "42" } }] });
  });
});
