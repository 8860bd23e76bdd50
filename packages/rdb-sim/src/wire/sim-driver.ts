import type { IncomingHttpHeaders } from "node:http2";
import type {
  ConnectTarget,
  Http2Driver,
  Http2Listener,
  Http2Session,
  ServedServices,
  ServerCall,
} from "@flaredb/rdb-wire/driver";
import type { SimAcceptor, SimNet } from "./sim-net.ts";
import { SimSession } from "./sim-session.ts";
import { type Caller, SimSocket } from "./sim-socket.ts";
import type { SimStream } from "./sim-stream.ts";
import { UnaryServices } from "./unary-services.ts";

/** HTTP/2 of one simulated process. */
export function simDriver(net: SimNet, caller: Caller): Http2Driver {
  return {
    connect: ({ host, port }: ConnectTarget) =>
      new SimSession(net, SimSocket.connect(net, caller, { host, port })),
    createServer: (services) => new SimListener(net, caller, services),
  };
}

type StreamOpened = (stream: ServerCall, headers: IncomingHttpHeaders, serve: () => void) => void;

/** A server of HTTP/2 in a simulated process. */
class SimListener implements Http2Listener, SimAcceptor {
  readonly #net: SimNet;
  readonly #caller: Caller;
  readonly #services: UnaryServices;
  readonly #sessions = new Set<SimSession>();
  #onSession: ((session: Http2Session) => void) | undefined;
  #onStream: StreamOpened | undefined;
  #port = 0;
  #isListening = false;
  #closed: (() => void) | undefined;

  constructor(net: SimNet, caller: Caller, services: ServedServices) {
    this.#net = net;
    this.#caller = caller;
    this.#services = new UnaryServices(services, caller.process);
  }

  get listening(): boolean {
    return this.#isListening;
  }

  onSession(opened: (session: Http2Session) => void): void {
    this.#onSession = opened;
  }

  onStream(opened: StreamOpened): void {
    this.#onStream = opened;
  }

  /** Connections here are few. */
  onDropped(): void {}

  /** Connections here fail without words: nobody but the simulator can send what is no HTTP/2. */
  onSessionError(): void {}

  /** A simulated socket accepts as long as it listens. */
  onError(): void {}

  listen(
    port: number,
    _host: string,
    done: (error: NodeJS.ErrnoException | undefined, port: number) => void,
  ): void {
    const realPort = this.#net.listen(this.#caller, port, this);
    this.#isListening = realPort !== undefined;
    this.#port = realPort ?? 0;
    this.#defer(() => {
      const inUse = Object.assign(new Error(`listen EADDRINUSE port ${port}`), { code: "EADDRINUSE" });
      done(realPort === undefined ? inUse : undefined, this.#port);
    });
  }

  close(closed: () => void): void {
    this.#isListening = false;
    this.#net.stopListening(this.#caller.host, this.#port, this);
    this.#closed = closed;
    this.#tellIfClosed();
  }

  accept(socket: SimSocket): void {
    if (!this.#isListening) {
      socket.reset();
      return;
    }
    const session = new SimSession(this.#net, socket, (stream, headers) =>
      this.#streamOpened(stream, headers),
    );
    this.#sessions.add(session);
    session.on("error", () => {
      // "close" follows, and a server has nothing to say about it.
    });
    session.on("close", () => {
      this.#sessions.delete(session);
      this.#tellIfClosed();
    });
    this.#onSession?.(session);
  }

  #streamOpened(stream: SimStream, headers: IncomingHttpHeaders): void {
    this.#onStream?.(stream, headers, () => this.#services.serve(stream, headers));
  }

  #tellIfClosed(): void {
    if (this.#closed !== undefined && this.#sessions.size === 0) {
      const closed = this.#closed;
      this.#closed = undefined;
      this.#defer(closed);
    }
  }

  #defer(callback: () => void): void {
    this.#caller.process.setImmediate(callback);
  }
}
