// What it takes to put connections and servers on another HTTP/2 than node's: for the simulator.
export type {
  ClientCall,
  ClientSession,
  ConnectTarget,
  Http2Call,
  Http2Driver,
  Http2Listener,
  Http2Session,
  ServedServices,
  ServerCall,
} from "./http2-driver.ts";
export { GRPC_CONTENT_TYPE } from "./grpc-status.ts";
export { Keepalive } from "./keepalive.ts";
export { unknownMethod } from "./refusals.ts";
export { rdbErrorInterceptor } from "./server-interceptor.ts";
