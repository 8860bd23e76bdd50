import {
  RpcConnection,
  type RpcConnectionOptions,
  RpcServer,
  type RpcServerOptions,
  type UnaryTransport,
  type UnaryTransportOptions,
  type Wire,
  type WireConnection,
  type WireServer,
} from "@flaredb/rdb-wire";
import type { Http2Driver } from "@flaredb/rdb-wire/driver";
import type { ProcessPort } from "./process-port.ts";
import { simDriver } from "./sim-driver.ts";
import type { SimNet } from "./sim-net.ts";
import type { Caller, SimSocket } from "./sim-socket.ts";
import { unaryCaller } from "./unary-caller.ts";

export interface SimWireOptions {
  readonly net: SimNet;
  /** The host's name; the process listens on its ports and calls from it. Gets power if it had none. */
  readonly host: string;
  /** The process's clock; everything that arrives runs in it, and nothing once it is dead. */
  readonly process: ProcessPort;
}

/**
 * The network as one start of a process sees it. Connections, servers and streams are the production ones, on HTTP/2
 * that is simulated.
 */
export class SimWire implements Wire, Caller {
  readonly host: string;
  readonly process: ProcessPort;
  /** @internal */
  readonly sockets = new Set<SimSocket>();
  readonly #net: SimNet;
  readonly #driver: Http2Driver;
  #isStopped = false;

  constructor(options: SimWireOptions) {
    this.#net = options.net;
    this.host = options.host;
    this.process = options.process;
    this.#driver = simDriver(this.#net, this);
    this.#net.attach(this);
  }

  /** Listens on this host's port, whatever `host` the options name. */
  serve(options: RpcServerOptions): WireServer {
    return new RpcServer({ ...options, host: this.host }, this.#driver);
  }

  connect(options: RpcConnectionOptions): WireConnection {
    return new RpcConnection(options, this.#driver);
  }

  unary(address: string, options?: UnaryTransportOptions): UnaryTransport {
    return unaryCaller(this.#net, this, address, options);
  }

  /**
   * The process is over; its clock is dead already. `reset`: it was killed or ended, and the host's kernel tells the
   * other sides, sometimes after it has sent what it had. `silent`: the host has lost its power or its cable, and
   * nobody is told; see `SimNet.powerOff`, which does this for all processes of a host.
   */
  stop(how: "reset" | "silent"): void {
    if (this.#isStopped) {
      return;
    }
    this.#isStopped = true;
    this.#net.detach(this);
    for (const socket of this.sockets) {
      if (how === "silent") {
        socket.forget();
      } else if (this.#net.random.nextInt(2) === 0) {
        socket.close();
      } else {
        socket.reset();
      }
    }
  }
}
