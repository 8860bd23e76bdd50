import type { Timer } from "@flaredb/rdb-base";
import { type UnaryTransportOptions, connectionDefaults, parseAddress } from "@flaredb/rdb-wire";
import { Keepalive } from "@flaredb/rdb-wire/driver";
import type { SimNet } from "./sim-net.ts";
import { SimSession } from "./sim-session.ts";
import { type Caller, SimSocket } from "./sim-socket.ts";

/** The connection that the calls to one address share. */
export class CallConnection {
  readonly #net: SimNet;
  readonly #caller: Caller;
  readonly #address: string;
  readonly #keepaliveOptions: { readonly intervalMs: number; readonly timeoutMs: number };
  #session: SimSession | undefined;
  #isConnected = false;
  #keepalive: Keepalive | undefined;
  #lastHeardMs = 0;
  #waiting: ((session: SimSession | Error) => void)[] = [];
  #verification: Timer | undefined;

  constructor(net: SimNet, caller: Caller, address: string, options: UnaryTransportOptions) {
    this.#net = net;
    this.#caller = caller;
    this.#address = address;
    this.#keepaliveOptions = options.keepalive ?? connectionDefaults.keepalive;
  }

  /** A connection that works, as far as anybody knows. */
  ready(): Promise<SimSession> {
    return new Promise((resolve, reject) => {
      this.#waiting.push((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
      if (this.#session === undefined || this.#session.destroyed) {
        this.#connect();
      } else if (this.#isConnected && this.#verification === undefined) {
        this.#verify(this.#session);
      }
    });
  }

  /** Something arrived. */
  heard(): void {
    this.#lastHeardMs = this.#caller.process.monotonicMs();
    this.#keepalive?.heard();
  }

  /** A call began: from now on the other side is watched. */
  watch(session: SimSession): void {
    if (this.#keepalive === undefined && session === this.#session) {
      this.#keepalive = new Keepalive(session, this.#caller.process, this.#keepaliveOptions, () =>
        session.destroy(new Error("the connection was silent")),
      );
    }
  }

  /** A call ended. */
  unwatch(session: SimSession): void {
    if (session === this.#session && session.openStreamCount === 0) {
      this.#keepalive?.stop();
      this.#keepalive = undefined;
    }
  }

  close(): void {
    this.#session?.destroy(new Error("the connection was closed"));
  }

  #connect(): void {
    const socket = SimSocket.connect(this.#net, this.#caller, parseAddress(this.#address));
    const session = new SimSession(this.#net, socket);
    this.#session = session;
    this.#isConnected = false;
    let failure: Error | undefined;
    session.on("error", (error: Error) => {
      failure = error;
    });
    session.on("connect", () => {
      this.#isConnected = true;
      this.heard();
      this.#settle(session);
    });
    session.on("close", () => {
      if (this.#session === session) {
        this.#forget();
        this.#settle(failure ?? new Error("the connection was closed"));
      }
    });
    // The server is going: the next call finds another connection.
    session.on("goaway", () => this.#session === session && this.#forget());
  }

  #forget(): void {
    this.#session = undefined;
    this.#keepalive?.stop();
    this.#keepalive = undefined;
    this.#verification?.cancel();
    this.#verification = undefined;
  }

  #verify(session: SimSession): void {
    const { process } = this.#caller;
    const { intervalMs, timeoutMs } = this.#keepaliveOptions;
    if (session.openStreamCount > 0 || process.monotonicMs() - this.#lastHeardMs < intervalMs) {
      this.#settle(session);
      return;
    }
    session.ping((error) => {
      if (error === null && this.#session === session) {
        this.#verification?.cancel();
        this.#verification = undefined;
        this.heard();
        this.#settle(session);
      }
    });
    this.#verification = process.setTimer(timeoutMs, () => {
      this.#forget();
      session.destroy();
      this.#connect();
    });
  }

  #settle(outcome: SimSession | Error): void {
    for (const settle of this.#waiting.splice(0)) {
      settle(outcome);
    }
  }
}
