import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Network } from "./network.ts";

// The faults that the other tests rely on: a partition that does not part would prove nothing.

let network: Network;
let echo: net.Server;
let port = 0;
let sockets: net.Socket[] = [];

beforeEach(async () => {
  echo = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  echo.listen(0, "127.0.0.1");
  await once(echo, "listening");
  network = new Network();
  port = await network.front(1, (echo.address() as AddressInfo).port, 0);
});

afterEach(async () => {
  for (const socket of sockets) {
    socket.destroy();
  }
  sockets = [];
  await network.close();
  echo.close();
});

/** A connection to Store 1, as Store 0 or as a client makes it. */
async function connect(from: 0 | "client"): Promise<net.Socket> {
  const localAddress = from === 0 ? Network.outgoingHost(0) : "127.0.0.1";
  const socket = net.connect({ host: "127.0.0.1", port, localAddress });
  sockets.push(socket);
  socket.on("error", () => {});
  await new Promise<void>((resolve) => {
    socket.once("connect", resolve);
    socket.once("close", () => resolve());
  });
  return socket;
}

async function answers(socket: net.Socket, withinMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  socket.once("data", () => resolve(true));
  socket.once("close", () => resolve(false));
  const timer = setTimeout(resolve, withinMs, false);
  if (socket.destroyed) {
    resolve(false);
  } else {
    socket.write("ping");
  }
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

test("everything passes until told otherwise", async () => {
  expect(await answers(await connect(0), 1_000)).toBe(true);
});

test("a cut resets the connections of one caller, and of no other, until healed", async () => {
  const [store, client] = [await connect(0), await connect("client")];
  expect(await answers(store, 1_000)).toBe(true);
  network.set(0, 1, "cut");
  expect(await answers(store, 1_000)).toBe(false);
  expect(store.destroyed).toBe(true);
  expect(await answers(client, 1_000)).toBe(true);
  expect(await answers(await connect(0), 500)).toBe(false);
  network.heal();
  expect(await answers(await connect(0), 1_000)).toBe(true);
});

test("a blackhole swallows without a word, old connections and new ones; then all arrives", async () => {
  const store = await connect(0);
  network.set(0, 1, "blackhole");
  expect(await answers(store, 300)).toBe(false);
  expect(store.destroyed).toBe(false);
  expect(await answers(await connect(0), 300)).toBe(false);
  network.heal();
  expect(await answers(store, 1_000)).toBe(true);
});

test("a delay counts for both directions", async () => {
  const store = await connect(0);
  network.set(0, 1, { delayMs: 100 });
  const startedMs = performance.now();
  expect(await answers(store, 2_000)).toBe(true);
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(195);
});
