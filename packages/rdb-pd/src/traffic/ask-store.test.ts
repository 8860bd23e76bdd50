import { once } from "node:events";
import { type AddressInfo, type Socket, createServer } from "node:net";
import { ManualClock } from "@flaredb/rdb-storage/testing";
import { expect, onTestFinished, test } from "vitest";
import { askStoreFlow } from "./ask-store.ts";
import { trafficLimits } from "./limits.ts";

/** @returns host:port of who answers each connection so */
async function storeThat(answers: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => answers(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a Store that goes in the middle of its answer does not answer: who asked must not wait for ever", async () => {
  const address = await storeThat((socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"));
  await expect(askStoreFlow(undefined, new ManualClock())(address)).rejects.toMatchObject({
    code: "RDB_UNAVAILABLE",
  });
});

test("a Store that drips its answer is given up in the end: each byte alone must not win it more time", async () => {
  const clock = new ManualClock();
  const arrived = Promise.withResolvers<Socket>();
  const address = await storeThat((socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n");
    arrived.resolve(socket);
  });
  const asking = askStoreFlow(undefined, clock)(address);
  let outcome: unknown;
  asking.catch((error: unknown) => (outcome = error));
  const socket = await arrived.promise;
  for (let bytes = 0; bytes < 3; bytes++) {
    socket.write("{");
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(outcome).toBeUndefined();
  const gone = once(socket, "close");
  expect(clock.runNext()).toBe(true);
  expect(clock.monotonicMs()).toBe(trafficLimits.askTotalTimeoutMs);
  await expect(asking).rejects.toMatchObject({
    code: "RDB_UNAVAILABLE",
    message: `the Store's HTTP endpoint ${address} does not answer wholly within ${trafficLimits.askTotalTimeoutMs} ms`,
  });
  await gone;
});

test("who has answered is not watched any longer", async () => {
  const clock = new ManualClock();
  const cancelled = Promise.withResolvers<void>();
  const setTimer = clock.setTimer.bind(clock);
  clock.setTimer = (delayMs, callback) => {
    const timer = setTimer(delayMs, callback);
    return {
      cancel: () => {
        timer.cancel();
        cancelled.resolve();
      },
    };
  };
  const address = await storeThat((socket) => socket.end("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"));
  await expect(askStoreFlow(undefined, clock)(address)).rejects.toMatchObject({ code: "RDB_UNAVAILABLE" });
  await cancelled.promise;
  expect(clock.runNext()).toBe(false);
});
