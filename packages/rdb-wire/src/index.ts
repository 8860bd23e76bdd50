export { httpWire } from "./http-wire.ts";
export { TlsIdentity, type TlsListener, type TlsWatch } from "./tls/tls-identity.ts";
export { processTls } from "./tls/process-tls.ts";
export type { TlsFiles } from "./tls/tls-files.ts";
export { type HttpLimits, limitHttp } from "./http-limits.ts";
export { httpsServerFactory, type HttpServerFactory } from "./tls/https-server.ts";
export type { InboundStream, OutboundStream, Wire, WireConnection, WireServer } from "./wire.ts";
export {
  ReconnectingStream,
  type ReconnectingStreamOptions,
} from "./reconnecting-stream.ts";
export { RpcConnection, connectionDefaults, type RpcConnectionOptions } from "./rpc-connection.ts";
export type { ClientStream, ClientStreamHandlers } from "./client-stream.ts";
export { RpcServer, type RpcServerOptions } from "./rpc-server.ts";
export type { CutReason, ListenCounts } from "./listen-counts.ts";
export { type ListenLimits, defaultListenLimits } from "./listen-limits.ts";
export type { ServerStream, ServerStreamHandlers } from "./server-stream.ts";
export type { StreamCodec } from "./stream-codec.ts";
export { unaryTransport, type UnaryTransport, type UnaryTransportOptions } from "./unary-transport.ts";
export { RDB_CODE_HEADER, fromConnectError, fromRequestError, toConnectError } from "./error-mapping.ts";
export { MemberRing } from "./member-ring.ts";
export {
  BatchWriter,
  batchWriterLimits,
  type BatchWriterLimits,
  type BatchWriterOptions,
} from "./batch-writer.ts";
export type { KeepaliveOptions } from "./keepalive.ts";
export { formatAddress, isLoopback, parseAddress, type HostPort } from "./address.ts";
export { pause } from "./pause.ts";
export { wireSettings } from "./http2-settings.ts";
