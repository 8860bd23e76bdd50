import net, { type Socket } from "node:net";

/** host:port of a URL. */
export function host(url: string): string {
  return new URL(url).host;
}

/** Connects; whatever becomes of the connection is told by "close" alone. */
export function connectTo(address: string): Promise<Socket> {
  const { hostname, port } = new URL(`http://${address}`);
  const socket = net.connect(Number(port), hostname);
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      // The other side may cut it at any time: that is an answer.
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}

/** Resolves when the connection is closed, by whomever. */
export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) {
      resolve();
    } else {
      socket.once("close", () => resolve());
    }
  });
}
