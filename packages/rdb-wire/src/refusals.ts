import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import { GRPC_CONTENT_TYPE, isGrpcContentType, statusTrailers } from "./grpc-status.ts";

/** Why a call of a hot method is not taken, as the headers of the answer. Undefined: it is. */
export function refuse(headers: IncomingHttpHeaders): OutgoingHttpHeaders | undefined {
  if (headers[":method"] !== "POST") {
    return { ":status": 405, allow: "POST" };
  }
  if (!isGrpcContentType(headers["content-type"])) {
    return { ":status": 415, "accept-post": GRPC_CONTENT_TYPE };
  }
  const encoding = headers["grpc-encoding"] ?? "identity";
  if (encoding !== "identity") {
    const error = new ConnectError(`grpc-encoding ${String(encoding)} must be identity`, Code.Unimplemented);
    return { ":status": 200, ...grpcHeaders(error), "grpc-accept-encoding": "identity" };
  }
  return undefined;
}

/** The headers of the answer to a method that nobody serves. */
export function unknownMethod(path: string, headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  if (!isGrpcContentType(headers["content-type"])) {
    return { ":status": 404 };
  }
  const error = new ConnectError(`method ${path} is not served here`, Code.Unimplemented);
  return { ":status": 200, ...grpcHeaders(error) };
}

/** As {@link unknownMethod}, through node:http2's requests and responses. */
export function refuseUnknownMethod(
  path: string,
  headers: IncomingHttpHeaders,
  response: { writeHead(status: number, headers?: OutgoingHttpHeaders): unknown; end(): unknown },
): void {
  const { ":status": status, ...others } = unknownMethod(path, headers);
  response.writeHead(Number(status), others);
  response.end();
}

/** gRPC's answer without messages: the status stands in the headers. */
function grpcHeaders(error: ConnectError): OutgoingHttpHeaders {
  return { "content-type": GRPC_CONTENT_TYPE, ...statusTrailers(error) };
}
