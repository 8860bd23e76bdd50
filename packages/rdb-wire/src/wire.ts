import type { RdbError } from "@flaredb/rdb-base";
import type { ClientStreamHandlers } from "./client-stream.ts";
import type { RpcConnectionOptions } from "./rpc-connection.ts";
import type { RpcServerOptions } from "./rpc-server.ts";
import type { ServerStreamHandlers } from "./server-stream.ts";
import type { StreamCodec } from "./stream-codec.ts";
import type { UnaryTransport, UnaryTransportOptions } from "./unary-transport.ts";

/**
 * The network as one process sees it: what it may listen on and whom it may call. Real processes have HTTP/2 (see
 * `httpWire`); those of the simulator have a network that fails as a seed says. One contract suite runs on both.
 */
export interface Wire {
  /**
   * A port for everything a process serves. Does not listen yet.
   */
  serve(options: RpcServerOptions): WireServer;

  /**
   * Begins to connect, never reconnects.
   *
   * @throws RdbError RDB_INVALID_ARGUMENT when the address is not host:port
   */
  connect(options: RpcConnectionOptions): WireConnection;

  /**
   * Calls of connect's clients: unary methods, and streams that are not hot. Connects when first used and again when
   * needed.
   *
   * @throws RdbError RDB_INVALID_ARGUMENT when the address is not host:port
   */
  unary(address: string, options?: UnaryTransportOptions): UnaryTransport;
}

/** The server's side; see RpcServer for what each member promises. */
export interface WireServer {
  /** host:port. Only after `listen`. */
  readonly address: string;
  /** Only after `listen`. */
  readonly port: number;
  /** Serves the bidi method at `path` on streams of batches. Before `listen`. */
  handleStream<Out, In>(
    path: string,
    codec: StreamCodec<Out, In>,
    accept: (stream: InboundStream<Out>) => ServerStreamHandlers<In>,
  ): void;
  /** @throws RdbError RDB_ADDRESS_IN_USE, RDB_UNAVAILABLE */
  listen(): Promise<void>;
  /** Tells clients to go, and cuts what is left after `graceMs`. */
  close(graceMs: number): Promise<void>;
  /** Cuts every connection before it returns: what was not sent by then never is. Accepts nothing new. */
  cut(): void;
}

/** The server's end of a stream; see ServerStream. */
export interface InboundStream<Out> {
  /** Who called, as host:port. */
  readonly peerAddress: string;
  readonly isOpen: boolean;
  /** About how many bytes wait to be written. */
  readonly queuedBytes: number;
  /** @returns false when the stream is closed, or its queue is full */
  push(item: Out): boolean;
  /** Writes what waits, then the status: OK, or the error's. Further calls do nothing. */
  close(error?: RdbError): void;
}

/** The client's side of a connection; see RpcConnection. */
export interface WireConnection {
  readonly address: string;
  /** Whether streams may be opened. */
  readonly isOpen: boolean;
  readonly isConnected: boolean;
  /** Time of a round trip as last measured; undefined before the first. */
  readonly roundTripMs: number | undefined;
  /** @throws RdbError RDB_UNAVAILABLE when the connection is closed or about to be */
  openStream<Out, In>(
    path: string,
    codec: StreamCodec<Out, In>,
    handlers: ClientStreamHandlers<In>,
  ): OutboundStream<Out>;
  /** Ends every stream at once with RDB_CLOSED. */
  close(): void;
}

/** The client's end of a stream; see ClientStream. */
export interface OutboundStream<Out> {
  readonly isOpen: boolean;
  /** Items that were pushed and not handed to the network yet. */
  readonly queuedCount: number;
  readonly queuedBytes: number;
  readonly roundTripMs: number | undefined;
  /** @returns false when the stream is closed or closing, or its queue is full */
  push(item: Out): boolean;
  /** Sends what waits, also before the connection is made, takes no more, and lets the server finish its answers. */
  close(): void;
  /** Ends at once; `onClosed` gets the error, before this returns. */
  destroy(error: RdbError): void;
}
