import { systemClock } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { RpcConnection } from "./rpc-connection.ts";
import { BATCH_PATH, clientCodec, putRequest, startEchoServer } from "./testing/echo.ts";

// What every connection does is in the contract of Wire: see http-wire.test.ts.

test("calls from the address that it is told", async () => {
  const callerAddress = Promise.withResolvers<string>();
  const server = await startEchoServer({
    onRequests: (stream) => callerAddress.resolve(stream.peerAddress),
  });
  const connection = new RpcConnection({
    address: server.address,
    clock: systemClock,
    localAddress: "127.0.0.2",
  });
  const stream = connection.openStream(BATCH_PATH, clientCodec, { onMessage() {}, onClosed() {} });
  stream.push(putRequest(1));
  expect(await callerAddress.promise).toMatch(/^127\.0\.0\.2:\d+$/);
  connection.close();
  await server.close(0);
});
