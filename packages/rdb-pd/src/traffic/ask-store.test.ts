import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { askStoreFlow } from "./ask-store.ts";

test("a Store that goes in the middle of its answer does not answer: who asked must not wait for ever", async () => {
  const server = createServer((socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  await expect(askStoreFlow(undefined)(`127.0.0.1:${port}`)).rejects.toMatchObject({
    code: "RDB_UNAVAILABLE",
  });
});
