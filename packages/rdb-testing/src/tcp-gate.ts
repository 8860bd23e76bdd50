import net, { type AddressInfo, type Socket } from "node:net";

const HOST = "127.0.0.1";

/**
 * An address on loopback that leads to another port, and can be cut: then whoever is connected loses the connection,
 * and whoever comes is sent away. The address stays the same while what is behind it changes.
 */
export class TcpGate {
  readonly #server = net.createServer((socket) => this.#accept(socket));
  readonly #sockets = new Set<Socket>();
  #targetPort: number | undefined;

  /** host:port. Only after `listen`. */
  get address(): string {
    return `${HOST}:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, HOST, resolve);
    });
  }

  /** From now on it leads to this port. */
  open(targetPort: number): void {
    this.#targetPort = targetPort;
  }

  /** From now on it leads nowhere. */
  cut(): void {
    this.#targetPort = undefined;
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(socket: Socket): void {
    if (this.#targetPort === undefined) {
      socket.destroy();
      return;
    }
    const target = net.connect({ host: HOST, port: this.#targetPort, noDelay: true });
    socket.setNoDelay(true);
    this.#join(socket, target);
    this.#join(target, socket);
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.pipe(to);
    // A connection that breaks on one side is broken on the other too: that is what it is told by `close`.
    from.on("error", () => {});
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }
}
