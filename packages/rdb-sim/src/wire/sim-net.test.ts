import { createClient } from "@connectrpc/connect";
import { hasCode } from "@flaredb/rdb-base";
import { KvService } from "@flaredb/rdb-proto";
import { BATCH_PATH, callEcho, putRequest, serveEcho } from "@flaredb/rdb-wire/testing";
import { describe, expect, test } from "vitest";
import { connected, pushSlowly } from "./testing/echo-world.ts";
import { TwoHosts } from "./testing/two-hosts.ts";

describe("a partition", () => {
  test("one way: requests arrive, their answers do not, and keepalive ends the connection", async () => {
    const { hosts, caller, arrived } = await connected();
    hosts.net.setLink("store-1", "client-1", { isBlocked: true });
    caller.stream.push(putRequest(1));
    const startedMs = hosts.clock.monotonicMs();
    const error = await hosts.fixture.settle(caller.closed);
    expect(error?.message).toContain("silent");
    expect(hosts.clock.monotonicMs() - startedMs).toBeLessThan(2_100);
    expect(arrived).toEqual([1]);
    expect(caller.received).toEqual([]);
  });

  test("swallows what was on its way, and what TCP repeats comes when it is over", async () => {
    const { hosts, caller, arrived } = await connected();
    hosts.net.setLinks({ minLatencyMs: 5, maxLatencyMs: 5 });
    caller.stream.push(putRequest(1));
    await hosts.clock.run(2);
    hosts.net.cut("client-1", "store-1");
    await hosts.clock.run(300);
    expect(arrived).toEqual([]);
    hosts.net.heal();
    await hosts.fixture.settle(caller.answers(1));
    expect(arrived).toEqual([1]);
    expect(caller.received).toEqual([1]);
  });

  test("lets nobody connect, and says nothing: the caller's own timeout decides", async () => {
    const hosts = new TwoHosts(1);
    const server = await serveEcho(hosts.fixture, { port: 7410 });
    hosts.net.partition(["store-1"], ["client-1", "client-2"]);
    const caller = callEcho(hosts.fixture, server.address);
    const error = await hosts.fixture.settle(caller.closed);
    expect(error?.message).toContain("did not answer within 2000 ms");
    expect(hosts.net.link("store-1", "client-2").isBlocked).toBe(true);
    expect(hosts.net.link("client-1", "client-2").isBlocked).toBe(false);
  });

  test("that outlasts TCP's patience ends the connection without keepalive", async () => {
    const world = await connected({ call: { keepalive: { intervalMs: 1e6, timeoutMs: 1e6 } } });
    world.hosts.net.cut("client-1", "store-1");
    world.caller.stream.push(putRequest(1));
    const startedMs = world.hosts.clock.monotonicMs();
    const error = await world.hosts.fixture.settle(world.caller.closed);
    expect(hasCode(error, "RDB_UNAVAILABLE")).toBe(true);
    expect(world.hosts.clock.monotonicMs() - startedMs).toBeGreaterThan(60_000);
  });
});

test("connections between two hosts can be cut: both sides notice, others do not", async () => {
  const { hosts, caller, serverClosed } = await connected();
  const other = callEcho({ ...hosts.fixture, client: hosts.start("client-2").wire }, "store-1:7410");
  await hosts.clock.run(10);
  hosts.net.resetConnections("client-1", "store-1");
  await hosts.clock.run(10);
  expect(await caller.closed).toMatchObject({ code: "RDB_UNAVAILABLE" });
  expect(serverClosed).toMatchObject([{ code: "RDB_UNAVAILABLE" }]);
  expect(other.stream.isOpen).toBe(true);
});

describe("a bad link", () => {
  test("that loses packets delays messages, and loses, doubles or turns none", async () => {
    const world = await connected({ seed: 3 });
    world.hosts.net.setLinks({ packetLossRate: 0.2 });
    const startedMs = world.hosts.clock.monotonicMs();
    const ids = await pushSlowly(world, 50);
    await world.hosts.fixture.settle(world.caller.answers(50));
    expect(world.arrived).toEqual(ids);
    expect(world.caller.received).toEqual(ids);
    expect(world.hosts.clock.monotonicMs() - startedMs).toBeGreaterThan(200);
  });

  test("that is slow carries what it can, and what waits is seen in the queue", async () => {
    const { hosts, caller } = await connected({ net: { windowBytes: 64 * 1024 } });
    hosts.net.setLink("client-1", "store-1", { bytesPerSecond: 1_000_000 });
    const startedMs = hosts.clock.monotonicMs();
    for (let id = 1; id <= 100; id++) {
      caller.stream.push(putRequest(id, new Uint8Array(10_000)));
      await hosts.clock.run(1);
    }
    expect(caller.stream.queuedBytes).toBeGreaterThan(500_000);
    expect(caller.stream.queuedCount).toBeGreaterThan(50);
    await hosts.fixture.settle(caller.answers(100));
    expect(hosts.clock.monotonicMs() - startedMs).toBeGreaterThan(1_000);
    expect(hosts.clock.monotonicMs() - startedMs).toBeLessThan(1_300);
    expect(caller.stream.queuedBytes).toBe(0);
  });

  test("a receiver that does not read stops the sender at the window", async () => {
    const { hosts, caller } = await connected({ net: { windowBytes: 64 * 1024 } });
    hosts.server.process.suspend();
    for (let id = 1; id <= 100; id++) {
      caller.stream.push(putRequest(id, new Uint8Array(10_000)));
      await hosts.clock.run(1);
    }
    const sentBytes = 100 * 10_016 - caller.stream.queuedBytes;
    expect(sentBytes).toBeGreaterThan(64 * 1024);
    expect(sentBytes).toBeLessThan(2 * 64 * 1024);
  });
});

describe("messages of methods that tolerate it", () => {
  const unreliable = { unreliablePaths: [BATCH_PATH], repeatedPaths: [] };

  test("are lost", async () => {
    const world = await connected({ net: unreliable });
    world.hosts.net.setLink("client-1", "store-1", { messageLossRate: 0.3 });
    await pushSlowly(world, 200);
    await world.hosts.clock.run(1_000);
    const lost = world.hosts.count("lose");
    expect(lost).toBeGreaterThan(30);
    expect(lost).toBeLessThan(90);
    expect(world.arrived).toHaveLength(200 - lost);
    expect(world.caller.stream.isOpen).toBe(true);
  });

  test("are doubled", async () => {
    const world = await connected({ net: unreliable });
    world.hosts.net.setLink("client-1", "store-1", { messageDuplicationRate: 0.3 });
    const ids = await pushSlowly(world, 100);
    await world.hosts.clock.run(1_000);
    const doubled = world.hosts.count("duplicate");
    expect(doubled).toBeGreaterThan(10);
    expect(world.arrived).toHaveLength(100 + doubled);
    expect(new Set(world.arrived)).toEqual(new Set(ids));
  });

  test("are overtaken", async () => {
    const world = await connected({ net: unreliable });
    world.hosts.net.setLink("client-1", "store-1", { messageReorderRate: 0.3 });
    const ids = await pushSlowly(world, 100);
    await world.hosts.clock.run(1_000);
    expect(world.arrived).not.toEqual(ids);
    expect(world.arrived.toSorted((a, b) => a - b)).toEqual(ids);
  });
});

test("a request may come twice: at once, or after its stream has ended, and nobody reads that answer", async () => {
  const world = await connected();
  const { hosts, caller, arrived } = world;
  hosts.net.setLink("client-1", "store-1", { requestRepeatRate: 0.5 });
  const ids = await pushSlowly(world, 20);
  caller.connection.close();
  hosts.net.heal();
  await hosts.clock.run(10_000);
  const repeats = hosts.count("repeat");
  expect(repeats).toBeGreaterThan(3);
  expect([...new Set(arrived)]).toEqual(ids);
  expect(arrived).toHaveLength(20 + repeats);
  expect(caller.received.length).toBeGreaterThan(20);
  expect(caller.received.length).toBeLessThan(20 + repeats);
});

describe("an interceptor", () => {
  test("drops answers: the request was done", async () => {
    const { hosts, caller, arrived } = await connected();
    hosts.net.intercept = ({ isAnswer }) => (isAnswer ? "drop" : "deliver");
    caller.stream.push(putRequest(1));
    await hosts.clock.run(1_000);
    expect(arrived).toEqual([1]);
    expect(caller.received).toEqual([]);
    hosts.net.intercept = undefined;
    caller.stream.push(putRequest(2));
    await hosts.clock.run(10);
    expect(caller.received).toEqual([2]);
  });

  test("holds a message until it is released, while others go on", async () => {
    const { hosts, caller, arrived } = await connected();
    hosts.net.intercept = ({ isAnswer }) => (isAnswer ? "deliver" : "hold");
    caller.stream.push(putRequest(1));
    await hosts.clock.run(10);
    hosts.net.intercept = undefined;
    caller.stream.push(putRequest(2));
    await hosts.clock.run(10);
    expect(arrived).toEqual([2]);
    expect(hosts.net.held).toHaveLength(1);
    hosts.net.held[0]?.release();
    await hosts.clock.run(10);
    expect(arrived).toEqual([2, 1]);
    expect(hosts.net.held).toEqual([]);
  });
});

test("the same seed makes the same events, at the same times", async () => {
  const run = async (seed: number): Promise<string> => {
    const world = await connected({ seed, net: { unreliablePaths: [BATCH_PATH] } });
    const { hosts } = world;
    hosts.net.setLinks({ packetLossRate: 0.05, messageLossRate: 0.1, messageDuplicationRate: 0.1 });
    const unary = createClient(KvService, hosts.client.wire.unary("store-1:7410").transport);
    const call = unary.get({}, { timeoutMs: 300 }).catch(() => undefined);
    await pushSlowly(world, 50);
    hosts.net.cut("client-1", "store-1");
    await hosts.clock.run(500);
    hosts.net.heal();
    await pushSlowly(world, 50);
    hosts.server.process.kill();
    hosts.server.wire.stop("reset");
    await hosts.fixture.settle(call);
    await hosts.clock.run(5_000);
    return JSON.stringify(hosts.events);
  };
  const first = await run(7);
  expect(await run(7)).toBe(first);
  expect(await run(8)).not.toBe(first);
});
