import net from "node:net";

/** A TCP proxy on loopback, to do to a connection what networks do. */
export interface Proxy {
  /** host:port to connect to. */
  readonly address: string;
  /** Nothing passes any more, in either direction, and nothing is closed: a cut cable, or a stopped process. */
  silence(): void;
  /** Answers are lost, requests still arrive. */
  dropAnswers(): void;
  /** Ends its connections and takes no more. */
  close(): Promise<void>;
}

/** Passes connections on to a port of 127.0.0.1. */
export async function startProxy(targetPort: number): Promise<Proxy> {
  const sockets = new Set<net.Socket>();
  let passesRequests = true;
  let passesAnswers = true;
  const track = (socket: net.Socket): void => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  };
  const server = net.createServer((client) => {
    const target = net.connect(targetPort, "127.0.0.1");
    track(client);
    track(target);
    client.on("data", (chunk) => passesRequests && target.write(chunk));
    target.on("data", (chunk) => passesAnswers && client.write(chunk));
    const end = (from: net.Socket, to: net.Socket): void => {
      from.on("error", () => to.destroy());
      from.on("close", () => passesRequests && to.destroy());
    };
    end(client, target);
    end(target, client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    silence: () => {
      passesRequests = false;
      passesAnswers = false;
    },
    dropAnswers: () => {
      passesAnswers = false;
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) {
          socket.destroy();
        }
        server.close(() => resolve());
      }),
  };
}
