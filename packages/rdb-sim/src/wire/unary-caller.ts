import { Code, ConnectError } from "@connectrpc/connect";
import type { UniversalClientRequest, UniversalClientResponse } from "@connectrpc/connect/protocol";
import { createTransport } from "@connectrpc/connect/protocol-grpc";
import { limits } from "@flaredb/rdb-base";
import { type UnaryTransport, type UnaryTransportOptions, parseAddress } from "@flaredb/rdb-wire";
import { ByteQueue } from "./byte-queue.ts";
import { CallConnection } from "./call-connection.ts";
import { withDeadlines } from "./deadlines.ts";
import { rstCodes } from "./frame.ts";
import type { SimNet } from "./sim-net.ts";
import type { Caller } from "./sim-socket.ts";
import type { SimStream } from "./sim-stream.ts";
import { fromWebHeaders, toWebHeaders, written } from "./unary-services.ts";

/**
 * gRPC by connect on a simulated connection, which is made when first used and again when needed. As connect-node does,
 * a connection that was quiet is asked for a sign of life before it is used, and while calls are open.
 */
export function unaryCaller(
  net: SimNet,
  caller: Caller,
  address: string,
  options: UnaryTransportOptions = {},
): UnaryTransport {
  parseAddress(address);
  const connection = new CallConnection(net, caller, address, options);
  const transport = createTransport({
    baseUrl: `http://${address}`,
    httpClient: (request) => call(connection, request),
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: Number.MAX_SAFE_INTEGER,
    readMaxBytes: limits.messageMaxBytes,
    writeMaxBytes: limits.messageMaxBytes,
  });
  return {
    transport: withDeadlines(transport, caller.process),
    close: () => connection.close(),
  };
}

/** One HTTP exchange, as connect asks for it. */
async function call(
  connection: CallConnection,
  request: UniversalClientRequest,
): Promise<UniversalClientResponse> {
  const { signal } = request;
  signal?.throwIfAborted();
  const session = await unlessAborted(signal, connection.ready()).catch((error: unknown) => {
    throw unavailable(error);
  });
  const stream = session.request({
    ...fromWebHeaders(request.header),
    ":method": request.method,
    ":path": new URL(request.url).pathname,
  });
  connection.watch(session);
  return new Exchange(connection, stream, request).response;
}

/** A call that is under way. */
class Exchange {
  readonly response: Promise<UniversalClientResponse>;
  readonly #stream: SimStream;
  readonly #body: ByteQueue;
  readonly #answered = Promise.withResolvers<UniversalClientResponse>();
  #failure: Error | undefined;
  #isOver = false;

  constructor(connection: CallConnection, stream: SimStream, { body, signal }: UniversalClientRequest) {
    this.response = this.#answered.promise;
    this.#stream = stream;
    this.#body = new ByteQueue(
      (sizeBytes) => stream.consumed(sizeBytes),
      (error) => this.#fail(error),
    );
    stream.consumesAtOnce = false;
    const trailer = new Headers();
    stream.on("response", (headers) => {
      connection.heard();
      this.#answered.resolve({
        status: Number(headers[":status"]),
        header: toWebHeaders(headers),
        body: this.#body,
        trailer,
      });
    });
    stream.on("data", (chunk: Uint8Array) => {
      connection.heard();
      this.#body.push(chunk);
    });
    stream.on("trailers", (headers) => {
      for (const [name, value] of toWebHeaders(headers)) {
        trailer.set(name, value);
      }
    });
    stream.on("end", () => {
      this.#isOver = true;
      this.#body.end();
      // The answer is complete: whatever is still to be sent, nobody reads it.
      stream.close(rstCodes.noError);
    });
    stream.on("error", (error: Error) => {
      this.#failure = error;
    });
    const abort = (): void => this.#fail(signal?.reason as Error);
    signal?.addEventListener("abort", abort);
    stream.on("close", () => {
      signal?.removeEventListener("abort", abort);
      connection.unwatch(stream.session);
      if (!this.#isOver) {
        this.#fail(unavailable(this.#failure ?? new Error("the connection was lost")));
      }
    });
    void this.#send(body);
  }

  async #send(body: AsyncIterable<Uint8Array> | undefined): Promise<void> {
    try {
      for await (const chunk of body ?? []) {
        if (this.#stream.closed) {
          return;
        }
        await written(this.#stream, chunk);
      }
      this.#stream.end();
    } catch (error) {
      if (!this.#stream.closed) {
        this.#fail(ConnectError.from(error));
      }
    }
  }

  #fail(error: Error): void {
    if (this.#isOver) {
      return;
    }
    this.#isOver = true;
    this.#body.end(error);
    this.#answered.reject(error);
    this.#stream.close(rstCodes.cancel);
  }
}

/** Rejects when the signal says so, with its reason. */
function unlessAborted<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (signal === undefined) {
    return promise;
  }
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function unavailable(error: unknown): ConnectError {
  return error instanceof ConnectError
    ? error
    : new ConnectError(error instanceof Error ? error.message : String(error), Code.Unavailable);
}
