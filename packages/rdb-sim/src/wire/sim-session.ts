import { EventEmitter } from "node:events";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import type { ClientSession } from "@flaredb/rdb-wire/driver";
import { type Frame, frame, headersFrame, rstCodes } from "./frame.ts";
import type { SimNet } from "./sim-net.ts";
import { type Caller, type ResetCode, SimSocket, type SocketOwner } from "./sim-socket.ts";
import { SimStream } from "./sim-stream.ts";

interface Ping {
  readonly sentMs: number;
  readonly answered: (error: Error | null, durationMs: number) => void;
}

/**
 * One side of an HTTP/2 connection on a simulated socket, with the events of node:http2: `connect`, `remoteSettings`,
 * `goaway`, `error`, `close`.
 */
export class SimSession extends EventEmitter implements ClientSession, SocketOwner {
  readonly net: SimNet;
  /** As node:http2's, for whoever asks who calls. */
  readonly socket: { readonly remoteAddress: string; readonly remotePort: number };
  readonly #socket: SimSocket;
  readonly #onStream: ((stream: SimStream, headers: IncomingHttpHeaders) => void) | undefined;
  readonly #streams = new Map<number, SimStream>();
  readonly #pings: Ping[] = [];
  #nextStreamId = 1;
  #isClosing = false;
  #isDestroyed = false;

  /** @param onStream a server's; a client gets no streams */
  constructor(
    net: SimNet,
    socket: SimSocket,
    onStream?: (stream: SimStream, headers: IncomingHttpHeaders) => void,
  ) {
    super();
    this.net = net;
    this.#socket = socket;
    this.#onStream = onStream;
    this.socket = { remoteAddress: socket.remoteHost, remotePort: socket.remotePort };
    socket.owner = this;
    if (onStream !== undefined) {
      socket.send(frame("settings"));
    }
  }

  get destroyed(): boolean {
    return this.#isDestroyed;
  }

  get isServer(): boolean {
    return this.#onStream !== undefined;
  }

  get connection(): SimSocket {
    return this.#socket;
  }

  get openStreamCount(): number {
    return this.#streams.size;
  }

  request(headers: OutgoingHttpHeaders): SimStream {
    const stream = new SimStream(this, this.#nextStreamId, String(headers[":path"]));
    this.#nextStreamId += 2;
    if (this.#isDestroyed) {
      stream.gone();
      return stream;
    }
    this.#streams.set(stream.id, stream);
    this.#socket.send(headersFrame("headers", stream.id, headers, false));
    return stream;
  }

  ping(answered: (error: Error | null, durationMs: number) => void): void {
    if (this.#isDestroyed) {
      this.defer(() => answered(new Error("the connection is gone"), 0));
      return;
    }
    this.#pings.push({ sentMs: this.net.clock.monotonicMs(), answered });
    this.#socket.send(frame("ping"));
  }

  /** Windows belong to streams here; see SimNetOptions. */
  setLocalWindowSize(): void {}

  close(): void {
    if (this.#isClosing || this.#isDestroyed) {
      return;
    }
    this.#isClosing = true;
    if (this.isServer) {
      this.#socket.send(frame("goaway"));
    }
    this.#destroyIfIdle();
  }

  destroy(error?: Error): void {
    if (this.#isDestroyed) {
      return;
    }
    this.#isDestroyed = true;
    this.#socket.close();
    for (const stream of this.#streams.values()) {
      stream.gone();
    }
    this.#streams.clear();
    const pings = this.#pings.splice(0);
    this.defer(() => {
      for (const ping of pings) {
        ping.answered(new Error("the connection is gone"), 0);
      }
      if (error !== undefined) {
        this.emit("error", error);
      }
      this.emit("close");
    });
  }

  /** Another connection to the same server. */
  connectAgain(caller: Caller): SimSession {
    const { remoteHost, remotePort } = this.#socket;
    return new SimSession(
      this.net,
      SimSocket.connect(this.net, caller, { host: remoteHost, port: remotePort }),
    );
  }

  /** Later in this process, at the same time: never inside of what it does now. */
  defer(callback: () => void): void {
    this.#socket.process.setImmediate(callback);
  }

  /** @internal */
  send(sent: Frame): void {
    this.#socket.send(sent);
  }

  /** @internal */
  forgetStream(stream: SimStream): void {
    this.#streams.delete(stream.id);
    if (this.#isClosing) {
      this.#destroyIfIdle();
    }
  }

  receive(received: Frame): void {
    switch (received.kind) {
      case "synack":
        this.emit("connect");
        return;
      case "settings":
        this.emit("remoteSettings");
        return;
      case "ping":
        this.#socket.send(frame("pong"));
        return;
      case "pong":
        this.#pingAnswered();
        return;
      case "goaway":
        this.close();
        this.emit("goaway");
        return;
      case "headers":
        if (this.#onStream !== undefined) {
          this.#streamOpened(received);
          return;
        }
        break;
      default:
        break;
    }
    this.#streams.get(received.streamId)?.receive(received);
  }

  finished(): void {
    this.destroy();
  }

  lost(code: ResetCode): void {
    // As node:http2: a reset ends the session without an error, whatever else goes wrong is one.
    this.destroy(code === "ECONNRESET" ? undefined : socketError(code, this.#socket.remoteAddress));
  }

  #pingAnswered(): void {
    const ping = this.#pings.shift();
    ping?.answered(null, this.net.clock.monotonicMs() - ping.sentMs);
  }

  #streamOpened({ streamId, headers = {} }: Frame): void {
    if (this.#isClosing) {
      this.#socket.send(frame("reset", streamId, rstCodes.refusedStream));
      return;
    }
    const stream = new SimStream(this, streamId, String(headers[":path"]));
    this.#streams.set(streamId, stream);
    this.#onStream?.(stream, headers);
  }

  #destroyIfIdle(): void {
    if (this.#streams.size === 0) {
      this.destroy();
    }
  }
}

function socketError(code: ResetCode, address: string): Error {
  return Object.assign(new Error(`connect ${code} ${address}`), { code });
}
