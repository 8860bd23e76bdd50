import { type Socket, connect } from "node:net";
import { regionId } from "@flaredb/rdb-base";
import { afterEach, expect, test } from "vitest";
import { EventHub } from "../../../events/event-hub.ts";
import { HttpServer, type HttpSource } from "../../http-server.ts";

let server: HttpServer;
afterEach(() => server.close());

/** A PD of which only the events are asked. Its Regions are all gone. */
async function serve(events: EventHub): Promise<void> {
  server = new HttpServer({ host: "127.0.0.1", port: 0 });
  await server.listen();
  const driver = { events, cluster: { region: () => undefined } };
  server.show({ driver, calls: {}, group: {} } as unknown as HttpSource);
}

async function watch(): Promise<Socket> {
  const [host = "", port] = server.address.split(":");
  const socket = connect(Number(port), host);
  socket.setEncoding("utf8");
  socket.write(`GET /api/v1/events HTTP/1.1\r\nHost: ${server.address}\r\n\r\n`);
  await new Promise((resolve) => socket.once("readable", resolve));
  return socket;
}

test("who does not read is dropped with a reason, and holds up nobody", async () => {
  const events = new EventHub();
  await serve(events);
  const socket = await watch();
  expect(events.hasReaders).toBe(true);
  // More than the sockets' buffers take.
  while (events.hasReaders) {
    for (let count = 0; count < 1_000; count++) {
      events.emit({ kind: "region", regionId: regionId(7) });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  let text = "";
  socket.on("data", (chunk: string) => {
    text = (text + chunk).slice(-2_000);
  });
  await expect.poll(() => text, { timeout: 20_000 }).toContain("event: end\ndata: ");
  expect(text).toContain("RDB_SERVER_IS_BUSY");
  expect(text).toContain('event: region-gone\ndata: {"id":7}');
  socket.destroy();
}, 60_000);

test("who goes is forgotten", async () => {
  const events = new EventHub();
  await serve(events);
  const socket = await watch();
  expect(events.hasReaders).toBe(true);
  socket.destroy();
  await expect.poll(() => events.hasReaders, { timeout: 20_000 }).toBe(false);
});

test("who watches while the server closes does not hold it up", async () => {
  const events = new EventHub();
  await serve(events);
  const socket = await watch();
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume();
  await server.close();
  await closed;
  expect(events.hasReaders).toBe(false);
});
