import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import type { ConnectRouter } from "@connectrpc/connect";
import type { Logger } from "@flaredb/rdb-base";
import type { ListenLimits } from "./listen-limits.ts";

/**
 * The part of HTTP/2 that our connections, servers and streams stand on. node:http2's own classes fit (see
 * `nodeHttp2`); the simulator brings a network of its own, so that everything above runs unchanged on it.
 */
export interface Http2Driver {
  /** Begins to connect. */
  connect(target: ConnectTarget): ClientSession;
  /** A server that does not listen yet. */
  createServer(services: ServedServices): Http2Listener;
}

export interface ConnectTarget {
  readonly host: string;
  readonly port: number;
  /** The address to call from, when the host has several. */
  readonly localAddress?: string;
}

/** What a server offers besides its hot streams. */
export interface ServedServices {
  readonly routes: (router: ConnectRouter) => void;
  readonly logger: Logger;
  readonly limits: ListenLimits;
}

/** One side of a connection. Events as node:http2 has them. */
export interface Http2Session {
  readonly destroyed: boolean;
  /** Calls back with null and the time that the answer took, or with an error. */
  ping(callback: (error: Error | null, durationMs: number) => void): unknown;
  setLocalWindowSize(sizeBytes: number): unknown;
  /** Lets streams end, opens no new ones; the other side is told. */
  close(): unknown;
  /** Ends everything now. */
  destroy(): unknown;
  on(event: "close", listener: () => void): unknown;
}

export interface ClientSession extends Http2Session {
  request(headers: OutgoingHttpHeaders): ClientCall;
  once(event: "remoteSettings", listener: () => void): unknown;
  on(event: "close" | "goaway", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** What both ends of a stream can do. */
export interface Http2Call {
  /** Calls back when the next write may follow, with an error when nothing may. */
  write(bytes: Uint8Array, written: (error?: Error | null) => void): unknown;
  /** Nothing more is written. */
  end(): unknown;
  /** Ends both directions at once; `rstCode` tells the other side why. */
  close(rstCode?: number): unknown;
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "end" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** The client's end of a stream. */
export interface ClientCall extends Http2Call {
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "end" | "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  on(event: "response" | "trailers", listener: (headers: IncomingHttpHeaders) => void): unknown;
}

/** The server's end of a stream. */
export interface ServerCall extends Http2Call {
  readonly closed: boolean;
  readonly aborted: boolean;
  readonly session:
    | {
        readonly socket: {
          readonly remoteAddress?: string | undefined;
          readonly remotePort?: number | undefined;
        };
      }
    | undefined;
  respond(
    headers: OutgoingHttpHeaders,
    options: { readonly waitForTrailers?: boolean; readonly endStream?: boolean },
  ): unknown;
  sendTrailers(headers: OutgoingHttpHeaders): unknown;
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  /** "finish": all that this side says was written. */
  on(event: "end" | "close" | "wantTrailers" | "finish", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** A server of HTTP/2. */
export interface Http2Listener {
  readonly listening: boolean;
  onSession(opened: (session: Http2Session) => void): void;
  /** `serve` hands the stream to the services of {@link ServedServices}. */
  onStream(opened: (stream: ServerCall, headers: IncomingHttpHeaders, serve: () => void) => void): void;
  /** A connection was closed unread: there are as many as may be. */
  onDropped(dropped: () => void): void;
  onSessionError(failed: (error: Error) => void): void;
  /** Something failed after it began to listen. */
  onError(failed: (error: Error) => void): void;
  /** Calls back with the real port, or with why it cannot listen: the error has a `code` as Node's have. */
  listen(
    port: number,
    host: string,
    done: (error: NodeJS.ErrnoException | undefined, port: number) => void,
  ): void;
  /** Accepts nothing new; calls back when nothing is open. */
  close(closed: () => void): void;
}
