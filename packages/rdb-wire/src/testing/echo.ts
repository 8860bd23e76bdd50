import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { silentLogger, systemClock } from "@flaredb/rdb-base";
import {
  BatchRequestSchema,
  BatchResponseSchema,
  type KvRequest,
  KvRequestSchema,
  type KvResponse,
  KvResponseSchema,
} from "@flaredb/rdb-proto";
import { RpcServer, type RpcServerOptions } from "../rpc-server.ts";
import type { ServerStream } from "../server-stream.ts";
import type { StreamCodec } from "../stream-codec.ts";

/** The hot method that the tests and the bench use, with the real messages. */
export const BATCH_PATH = "/rdb.v1.KvService/Batch";

/** The client's end: requests out, one Region; responses in. */
export const clientCodec: StreamCodec<KvRequest, KvResponse[]> = {
  encode: (requests) =>
    toBinary(BatchRequestSchema, create(BatchRequestSchema, { regions: [{ requests: [...requests] }] })),
  sizeOf: (request) => 16 + (request.command.case === "put" ? request.command.value.value.length : 0),
  decode: (message) => fromBinary(BatchResponseSchema, message).responses,
};

/** The server's end: responses out, requests in. */
export const serverCodec: StreamCodec<KvResponse, KvRequest[]> = {
  encode: (responses) =>
    toBinary(BatchResponseSchema, create(BatchResponseSchema, { responses: [...responses] })),
  sizeOf: () => 16,
  decode: (message) => fromBinary(BatchRequestSchema, message).regions.flatMap((region) => region.requests),
};

/** A put whose request id is `id`. */
export function putRequest(id: number, value: Uint8Array = new Uint8Array(0)): KvRequest {
  return create(KvRequestSchema, {
    requestId: id,
    command: { case: "put", value: { key: new Uint8Array([1]), value } },
  });
}

/** Its answer: the request id comes back as the version. */
export function putResponse(id: number): KvResponse {
  return create(KvResponseSchema, {
    requestId: id,
    result: { case: "put", value: { version: BigInt(id) } },
  });
}

type EchoStream = ServerStream<KvResponse, KvRequest[]>;

/** A server whose Batch answers every request at once, or as `onRequests` says. Tells of streams that close. */
export async function startEchoServer(
  options: Partial<RpcServerOptions> & {
    readonly onRequests?: (stream: EchoStream, requests: KvRequest[]) => void;
    readonly onClosed?: (error: Error | undefined) => void;
  } = {},
): Promise<RpcServer> {
  const server = new RpcServer({
    host: "127.0.0.1",
    port: 0,
    logger: silentLogger,
    clock: systemClock,
    ...options,
  });
  server.handleStream(BATCH_PATH, serverCodec, (stream) => ({
    onMessage: (requests) => {
      if (options.onRequests !== undefined) {
        options.onRequests(stream, requests);
        return;
      }
      for (const request of requests) {
        stream.push(putResponse(request.requestId));
      }
    },
    onEnd: () => stream.close(),
    onClosed: (error) => options.onClosed?.(error),
  }));
  await server.listen();
  return server;
}
