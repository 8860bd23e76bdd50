import net from "node:net";

// Below the range from which the system takes the ports of outgoing connections, so that a process that was killed
// finds its port free when it comes back.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const BLOCK_SIZE = 40;

/** Listens on the last port of a block for as long as this process lives: so two test runs never share a block. */
const guards: net.Server[] = [];

/** Ports on 127.0.0.1 on which nobody listens, and which no other test run takes. At most 39. */
export async function freePorts(count: number): Promise<number[]> {
  const base = await freePortBlock(count);
  return Array.from({ length: count }, (_, at) => base + at);
}

/** A port from which `count` ports on, at most 39, are free and not taken by another test run. */
export async function freePortBlock(count: number): Promise<number> {
  for (;;) {
    const place = Math.floor((Math.random() * (HIGHEST - LOWEST)) / BLOCK_SIZE);
    const base = LOWEST + place * BLOCK_SIZE;
    const guard = await listen(base + BLOCK_SIZE - 1);
    if (guard === undefined) {
      continue;
    }
    const free = await Promise.all(Array.from({ length: count }, (_, at) => isFree(base + at)));
    if (free.every(Boolean)) {
      guards.push(guard);
      return base;
    }
    guard.close();
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  return server !== undefined;
}

function listen(port: number): Promise<net.Server | undefined> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.unref();
    server.once("error", () => resolve(undefined));
    server.listen({ host: "127.0.0.1", port }, () => resolve(server));
  });
}
