import type { IncomingHttpHeaders } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import { type RdbError } from "@flaredb/rdb-base";
import { RDB_CODE_HEADER, fromConnectError, toConnectError } from "./error-mapping.ts";

export const GRPC_CONTENT_TYPE = "application/grpc+proto";

/** Whether a content type is gRPC with protobuf messages, the only encoding of ours. */
export function isGrpcContentType(contentType: string | undefined): boolean {
  return (
    contentType === "application/grpc" ||
    contentType === GRPC_CONTENT_TYPE ||
    (contentType?.startsWith("application/grpc;") ?? false) ||
    (contentType?.startsWith(`${GRPC_CONTENT_TYPE};`) ?? false)
  );
}

/** The trailers that end a stream: status 0 without an error. */
export function statusTrailers(error: RdbError | ConnectError | undefined): Record<string, string> {
  if (error === undefined) {
    return { "grpc-status": "0" };
  }
  const connectError = toConnectError(error);
  const trailers: Record<string, string> = {
    "grpc-status": String(connectError.code),
    "grpc-message": encodeMessage(connectError.rawMessage),
  };
  const rdbCode = connectError.metadata.get(RDB_CODE_HEADER);
  if (rdbCode !== null) {
    trailers[RDB_CODE_HEADER] = rdbCode;
  }
  return trailers;
}

/**
 * What trailers (or the headers of an answer without a body) say.
 *
 * @returns the error; undefined when the status is OK; "missing" when there is no status
 */
export function errorFromTrailers(trailers: IncomingHttpHeaders): RdbError | undefined | "missing" {
  const status = trailers["grpc-status"];
  if (typeof status !== "string") {
    return "missing";
  }
  if (status === "0") {
    return undefined;
  }
  const code = Number(status);
  const message = trailers["grpc-message"];
  const error = new ConnectError(
    typeof message === "string" ? decodeMessage(message) : `gRPC status ${status}`,
    code in Code ? (code as Code) : Code.Unknown,
  );
  const rdbCode = trailers[RDB_CODE_HEADER];
  if (typeof rdbCode === "string") {
    error.metadata.set(RDB_CODE_HEADER, rdbCode);
  }
  return fromConnectError(error);
}

/** gRPC's form for `grpc-message`: UTF-8, with everything but printable ASCII as %XX. */
function encodeMessage(message: string): string {
  let encoded = "";
  for (const byte of new TextEncoder().encode(message)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

function decodeMessage(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    // A foreign server that does not encode: its text is worth more than none.
    return message;
  }
}
