import { RDB_CODE_HEADER } from "@flaredb/rdb-wire";
import http2, {
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";

/** What a server said to a call. */
export interface CallOutcome {
  readonly httpStatus: number | undefined;
  readonly grpcStatus: number | undefined;
  readonly grpcMessage: string;
  /** Our own code, where one of ours answered; bytes that are no message get gRPC's word for that alone. */
  readonly rdbCode: string | undefined;
  /** No status came in time. One that came while this side had more to send leaves the stream open until it is reset. */
  readonly isSilent: boolean;
}

const TIMEOUT_MS = 15_000;

/** Calls as no client of ours does: any bytes, any headers, on one connection that is made again when it is cut. */
export class RawCaller {
  readonly #address: string;
  #session: ClientHttp2Session | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  /** @param parts written one after the other; then the call's own side ends */
  call(path: string, parts: readonly Uint8Array[], headers: OutgoingHttpHeaders = {}): Promise<CallOutcome> {
    const stream = this.#connected().request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc+proto",
      te: "trailers",
      ...headers,
    });
    return new Promise((resolve) => {
      let httpStatus: number | undefined;
      let status: IncomingHttpHeaders = {};
      let isSilent = false;
      const timer = setTimeout(() => {
        isSilent = status["grpc-status"] === undefined;
        stream.close(http2.constants.NGHTTP2_CANCEL);
      }, TIMEOUT_MS);
      stream.on("response", (received) => {
        httpStatus = received[":status"];
        status = { ...status, ...received };
      });
      stream.on("trailers", (received: IncomingHttpHeaders) => {
        status = { ...status, ...received };
      });
      // A reset is an answer; the close that follows tells it.
      stream.on("error", () => {});
      stream.on("close", () => {
        clearTimeout(timer);
        const code = status["grpc-status"];
        const grpcStatus = code === undefined ? undefined : Number(code);
        const rdbCode = status[RDB_CODE_HEADER]?.toString();
        resolve({
          httpStatus,
          grpcStatus,
          grpcMessage: String(status["grpc-message"] ?? ""),
          rdbCode,
          isSilent,
        });
      });
      stream.resume();
      for (const part of parts) {
        stream.write(part);
      }
      stream.end();
    });
  }

  close(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  #connected(): ClientHttp2Session {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      const session = http2.connect(`http://${this.#address}`);
      // What its streams are told counts.
      session.on("error", () => {});
      this.#session = session;
    }
    return this.#session;
  }
}
