import http2 from "node:http2";

/** What a server said to bytes that are no request. */
export interface RawAnswer {
  /** HTTP status; undefined when the stream was reset. */
  readonly httpStatus: number | undefined;
  /** gRPC status, from headers or trailers; undefined when none came. */
  readonly grpcStatus: number | undefined;
}

const TIMEOUT_MS = 5_000;

/** Posts bytes, as they are, as the body of a gRPC call. */
export function postRaw(address: string, path: string, body: Uint8Array): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://${address}`);
    session.on("error", reject);
    const timer = setTimeout(() => {
      session.destroy();
      reject(new Error(`${address}${path} gave no answer in ${TIMEOUT_MS} ms`));
    }, TIMEOUT_MS);
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc+proto",
      te: "trailers",
    });
    let httpStatus: number | undefined;
    let grpcStatus: number | undefined;
    const readStatus = (headers: http2.IncomingHttpHeaders): void => {
      const status = headers["grpc-status"];
      grpcStatus = status === undefined ? grpcStatus : Number(status);
    };
    stream.on("response", (headers) => {
      httpStatus = headers[":status"];
      readStatus(headers);
    });
    stream.on("trailers", readStatus);
    stream.on("error", () => {
      // A reset is an answer too; the close that follows tells it.
    });
    stream.on("close", () => {
      clearTimeout(timer);
      session.close();
      resolve({ httpStatus, grpcStatus });
    });
    stream.resume();
    stream.end(body);
  });
}

/** gRPC's frame around a message: no compression, the length, the bytes. */
export function frame(message: Uint8Array, declaredLength = message.length): Uint8Array {
  const framed = Buffer.alloc(5 + message.length);
  framed.writeUInt32BE(declaredLength, 1);
  framed.set(message, 5);
  return framed;
}
