import { type Frame, frame } from "./frame.ts";
import { Flow } from "./flow.ts";
import type { ProcessPort } from "./process-port.ts";
import type { Attached, SimAcceptor, SimNet } from "./sim-net.ts";

/** Why a connection was cut, as the kernel says it. */
export type ResetCode = "ECONNREFUSED" | "ECONNRESET" | "ETIMEDOUT";

/** What a socket tells whoever reads it. Called in its process. */
export interface SocketOwner {
  receive(frame: Frame): void;
  /** The other side closed. */
  finished(): void;
  /** The connection is gone. */
  lost(code: ResetCode): void;
}

/** Where a process calls from. */
export interface Caller extends Attached {
  readonly process: ProcessPort;
}

/** One end of a connection. */
export class SimSocket {
  readonly host: string;
  readonly port: number;
  readonly connectionId: number;
  owner: SocketOwner | undefined;
  readonly #net: SimNet;
  #peer: SimSocket | undefined;
  #out: Flow | undefined;
  #attached: Caller | undefined;
  #acceptor: SimAcceptor | undefined;
  /** The server's end is unborn until the first packet finds a listener. */
  #state: "unborn" | "open" | "closed";

  /** Use {@link SimSocket.connect}. */
  private constructor(
    net: SimNet,
    connectionId: number,
    at: { readonly host: string; readonly port: number },
    caller: Caller | undefined,
  ) {
    this.#net = net;
    this.connectionId = connectionId;
    this.host = at.host;
    this.port = at.port;
    this.#attached = caller;
    this.#state = caller === undefined ? "unborn" : "open";
    caller?.sockets.add(this);
  }

  /** Begins to connect; `synack` arrives when the other host took it, `lost` comes when nobody listens there. */
  static connect(
    net: SimNet,
    caller: Caller,
    target: { readonly host: string; readonly port: number },
  ): SimSocket {
    const connectionId = net.nextConnectionId();
    const source = { host: caller.host, port: net.freePort(caller.host) };
    const client = new SimSocket(net, connectionId, source, caller);
    const server = new SimSocket(net, connectionId, target, undefined);
    client.#peer = server;
    server.#peer = client;
    client.#out = new Flow(net, client, server);
    server.#out = new Flow(net, server, client);
    net.report("connect", client, 0, client.remoteAddress, 0);
    client.send(frame("syn"));
    return client;
  }

  get process(): ProcessPort {
    return (this.#attached as Caller).process;
  }

  get isOpen(): boolean {
    return this.#state === "open" && !this.process.isDead;
  }

  /** The other end. */
  get remote(): SimSocket {
    return this.#peer as SimSocket;
  }

  get remoteHost(): string {
    return this.remote.host;
  }

  get remotePort(): number {
    return this.remote.port;
  }

  get remoteAddress(): string {
    return `${this.remote.host}:${this.remote.port}`;
  }

  send(sent: Frame): void {
    if (this.isOpen) {
      this.#out?.send(sent);
    }
  }

  /** Sends a frame outside the order of the others; it is lost when the link or the connection is. */
  sendAside(sent: Frame, delayMs: number): void {
    const peer = this.remote;
    this.#net.clock.setTimer(delayMs, () => {
      if (!this.isOpen || this.#out === undefined || !this.#net.carries(this.#out.link) || !peer.isOpen) {
        return;
      }
      peer.process.run(() => peer.receive(sent));
    });
  }

  /** What was sent still arrives, and then the other side sees the end. */
  close(): void {
    if (this.#state === "open") {
      this.#out?.send(frame("fin"));
      this.#leave();
    }
  }

  /** What was sent and has not arrived is lost; the other side is told at once. */
  reset(): void {
    if (this.#state === "open") {
      this.forget();
      this.#net.sendPacket(this.host, this.remoteHost, () => this.remote.wasReset("ECONNRESET"));
    }
  }

  /** The connection is gone, and the other side is not told. */
  forget(): void {
    this.#out?.cut();
    this.#leave();
  }

  /** The other side's host, or the network, cut the connection. */
  wasReset(code: ResetCode): void {
    if (this.#state !== "open") {
      return;
    }
    this.forget();
    const { owner } = this;
    this.process.run(() => {
      this.#net.report(code === "ECONNREFUSED" ? "refuse" : "reset", this, 0, this.remoteAddress, 0);
      owner?.lost(code);
    });
  }

  /** @internal A frame has reached this host. @returns whether there is a process to read it */
  prepareToReceive(): boolean {
    if (this.#state === "unborn") {
      return this.#born();
    }
    if (this.#state === "closed") {
      // A host that does not know the connection says so.
      this.#net.sendPacket(this.host, this.remoteHost, () => this.remote.wasReset("ECONNRESET"));
      return false;
    }
    return true;
  }

  /** @internal In this socket's process. */
  receive(received: Frame): void {
    if (this.#state !== "open") {
      return;
    }
    switch (received.kind) {
      case "syn":
        this.#net.report("accept", this, 0, `${this.host}:${this.port}`, 0);
        this.#acceptor?.accept(this);
        return;
      case "fin":
        this.#net.report("finish", this, 0, this.remoteAddress, 0);
        this.close();
        this.owner?.finished();
        return;
      default:
        this.owner?.receive(received);
    }
  }

  /** The first packet of a caller is here. */
  #born(): boolean {
    const listener = this.#net.listenerAt(this.host, this.port);
    if (listener === undefined) {
      this.#state = "closed";
      this.#net.sendPacket(this.host, this.remoteHost, () => this.remote.wasReset("ECONNREFUSED"));
      return false;
    }
    this.#state = "open";
    this.#acceptor = listener.acceptor;
    this.#attached = listener.owner as Caller;
    this.#attached.sockets.add(this);
    // By the kernel: a process that is stopped has open ports.
    this.#out?.send(frame("synack"));
    return true;
  }

  #leave(): void {
    this.#state = "closed";
    this.#attached?.sockets.delete(this);
  }
}
