import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { Code, ConnectError, createConnectRouter } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { limits } from "@flaredb/rdb-base";
import { type ServedServices, rdbErrorInterceptor, unknownMethod } from "@flaredb/rdb-wire/driver";
import { ByteQueue } from "./byte-queue.ts";
import { rstCodes } from "./frame.ts";
import type { ProcessPort } from "./process-port.ts";
import type { SimStream } from "./sim-stream.ts";

/** Serves connect's services on simulated streams: routing, messages and errors are connect's own. */
export class UnaryServices {
  readonly #handlers = new Map<string, UniversalHandler>();

  constructor({ routes, logger }: ServedServices, process: ProcessPort) {
    const router = createConnectRouter({
      interceptors: [rdbErrorInterceptor(logger, (callback) => process.setImmediate(callback))],
      readMaxBytes: limits.messageMaxBytes,
      writeMaxBytes: limits.messageMaxBytes,
      grpc: true,
      grpcWeb: false,
      connect: false,
    });
    routes(router);
    for (const handler of router.handlers) {
      this.#handlers.set(handler.requestPath, handler);
    }
  }

  serve(stream: SimStream, headers: IncomingHttpHeaders): void {
    const handler = this.#handlers.get(stream.path);
    stream.on("error", () => {
      // "close" tells about it.
    });
    if (handler === undefined) {
      stream.respond(unknownMethod(stream.path, headers), { endStream: true });
      return;
    }
    const over = new AbortController();
    const body = new ByteQueue(
      (sizeBytes) => stream.consumed(sizeBytes),
      () => {
        // The handler has its own reasons, and answers.
      },
    );
    stream.consumesAtOnce = false;
    stream.on("data", (chunk: Uint8Array) => body.push(chunk));
    stream.on("end", () => body.end());
    stream.on("close", () => {
      // Does nothing when all was said.
      const error = new ConnectError("the caller went away", Code.Canceled);
      body.end(error);
      over.abort(error);
    });
    void answer(stream, handler, {
      httpVersion: "2.0",
      method: "POST",
      url: `http://${stream.session.connection.host}${stream.path}`,
      header: toWebHeaders(headers),
      body,
      signal: over.signal,
    });
  }
}

async function answer(
  stream: SimStream,
  handler: UniversalHandler,
  request: Parameters<UniversalHandler>[0],
): Promise<void> {
  let response: UniversalServerResponse;
  try {
    response = await handler(request);
    stream.respond(
      { ":status": response.status, ...fromWebHeaders(response.header) },
      { waitForTrailers: true },
    );
    stream.on("wantTrailers", () => stream.sendTrailers(fromWebHeaders(response.trailer)));
    for await (const chunk of response.body ?? []) {
      await written(stream, chunk);
    }
    stream.end();
  } catch {
    // The caller is gone, or connect could not answer: its errors travel in the trailers.
    stream.close(rstCodes.internalError);
  }
}

/** Settles when the next chunk may follow. */
export function written(stream: SimStream, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => stream.session.defer(() => (error ? reject(error) : resolve())));
  });
}

/** Without what begins with a colon, which is HTTP/2's own. */
export function toWebHeaders(headers: IncomingHttpHeaders): Headers {
  const result = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(":") && value !== undefined) {
      result.set(name, String(value));
    }
  }
  return result;
}

export function fromWebHeaders(headers: ConstructorParameters<typeof Headers>[0]): OutgoingHttpHeaders {
  return Object.fromEntries(new Headers(headers));
}
