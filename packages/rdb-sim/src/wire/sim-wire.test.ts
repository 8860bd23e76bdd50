import { createClient } from "@connectrpc/connect";
import { KvService, PdService } from "@flaredb/rdb-proto";
import { fromConnectError } from "@flaredb/rdb-wire";
import { callEcho, putRequest, serveEcho } from "@flaredb/rdb-wire/testing";
import { describe, expect, test, vi } from "vitest";
import { connected } from "./testing/echo-world.ts";
import { TwoHosts } from "./testing/two-hosts.ts";

describe("a process that ends", () => {
  test("is noticed by its callers after a latency, when the host's kernel is there to say so", async () => {
    for (const seed of [1, 2, 3, 4]) {
      const { hosts, caller } = await connected({ seed });
      hosts.server.process.kill();
      hosts.server.wire.stop("reset");
      const startedMs = hosts.clock.monotonicMs();
      expect(await hosts.fixture.settle(caller.closed)).toMatchObject({ code: "RDB_UNAVAILABLE" });
      expect(hosts.clock.monotonicMs() - startedMs).toBeLessThan(1);
    }
  });

  test("takes what is in flight with it: a request may have arrived and its answer be lost", async () => {
    const fates = new Set<string>();
    for (let seed = 1; seed <= 12; seed++) {
      const { hosts, caller, arrived } = await connected({ seed });
      hosts.net.setLinks({ minLatencyMs: 5, maxLatencyMs: 5 });
      caller.stream.push(putRequest(1));
      await hosts.clock.run(6);
      hosts.server.process.kill();
      hosts.server.wire.stop("reset");
      await hosts.fixture.settle(caller.closed);
      expect(arrived).toEqual([1]);
      fates.add(caller.received.length === 1 ? "answered" : "lost");
    }
    expect(fates).toEqual(new Set(["answered", "lost"]));
  });

  test("runs nothing any more, whatever still arrives", async () => {
    const { hosts, caller, arrived, serverClosed } = await connected();
    caller.stream.push(putRequest(1));
    hosts.server.process.kill();
    hosts.server.wire.stop("reset");
    await hosts.clock.run(5_000);
    expect(arrived).toEqual([]);
    expect(serverClosed).toEqual([]);
  });

  test("with its host's power is silent, also to new callers", async () => {
    const { hosts, caller } = await connected();
    hosts.server.process.kill();
    hosts.net.powerOff("store-1");
    caller.stream.push(putRequest(1));
    expect((await hosts.fixture.settle(caller.closed))?.message).toContain("silent");
    const late = callEcho(hosts.fixture, "store-1:7410");
    expect((await hosts.fixture.settle(late.closed))?.message).toContain("did not answer");
  });

  test("and begins again does not know the old connections: they are reset", async () => {
    const { hosts, caller } = await connected({ call: { keepalive: { intervalMs: 1e6, timeoutMs: 1e6 } } });
    hosts.server.process.kill();
    hosts.net.powerOff("store-1");
    await hosts.clock.run(100);
    hosts.start("store-1");
    caller.stream.push(putRequest(1));
    const startedMs = hosts.clock.monotonicMs();
    expect(await hosts.fixture.settle(caller.closed)).toMatchObject({ code: "RDB_UNAVAILABLE" });
    expect(hosts.clock.monotonicMs() - startedMs).toBeLessThan(10);
  });
});

test("a process that is stopped keeps its sockets: bytes wait, and no ping is answered", async () => {
  const { hosts, caller, arrived } = await connected();
  hosts.server.process.suspend();
  caller.stream.push(putRequest(1));
  await hosts.clock.run(400);
  caller.stream.push(putRequest(2));
  await hosts.clock.run(400);
  expect(arrived).toEqual([]);
  hosts.server.process.resume();
  await hosts.fixture.settle(caller.answers(2));
  expect(arrived).toEqual([1, 2]);
  hosts.server.process.suspend();
  expect((await hosts.fixture.settle(caller.closed))?.message).toContain("silent");
});

describe("unary calls", () => {
  async function served(): Promise<{ hosts: TwoHosts; callCount: () => number }> {
    const hosts = new TwoHosts(1);
    let callCount = 0;
    await serveEcho(hosts.fixture, {
      port: 7410,
      routes: (router) => {
        router.service(KvService, {
          get: () => {
            callCount++;
            return { found: true };
          },
        });
        router.service(PdService, {
          async *regionHeartbeat(requests) {
            for await (const _request of requests) {
              yield {};
            }
          },
        });
      },
    });
    return { hosts, callCount: () => callCount };
  }

  test("use no real timer", async () => {
    const { hosts } = await served();
    const { transport } = hosts.client.wire.unary("store-1:7410");
    const timers = vi.spyOn(globalThis, "setTimeout");
    try {
      await hosts.fixture.settle(createClient(KvService, transport).get({}, { timeoutMs: 1_000 }));
      let answerCount = 0;
      const requests = async function* () {
        yield {};
        await Promise.resolve();
        yield {};
      };
      const heartbeats = createClient(PdService, transport).regionHeartbeat(requests(), { timeoutMs: 5_000 });
      await hosts.fixture.settle(
        (async () => {
          for await (const _response of heartbeats) {
            answerCount++;
          }
        })(),
      );
      expect(answerCount).toBe(2);
      expect(timers).not.toHaveBeenCalled();
    } finally {
      timers.mockRestore();
    }
  });

  test("whose answer the network swallows were done, and run into their deadline", async () => {
    const { hosts, callCount } = await served();
    const client = createClient(KvService, hosts.client.wire.unary("store-1:7410").transport);
    await hosts.fixture.settle(client.get({}));
    hosts.net.setLink("store-1", "client-1", { isBlocked: true });
    const error = await hosts.fixture.settle(client.get({}, { timeoutMs: 700 }).catch(fromConnectError));
    expect(error).toMatchObject({ code: "RDB_DEADLINE_EXCEEDED" });
    expect(callCount()).toBe(2);
  });

  test("made right after the connection was given up find another one", async () => {
    const { hosts } = await served();
    const client = createClient(KvService, hosts.client.wire.unary("store-1:7410").transport);
    await hosts.fixture.settle(client.get({}));
    hosts.net.cut("store-1", "client-1");
    let error: unknown;
    const again = client.get({}).catch((reason: unknown) => {
      error = fromConnectError(reason);
      hosts.net.heal();
      return client.get({});
    });
    expect((await hosts.fixture.settle(again)).found).toBe(true);
    expect(error).toMatchObject({ code: "RDB_UNAVAILABLE" });
  });

  test("fail when the server's process dies, and find the next one", async () => {
    const { hosts } = await served();
    const client = createClient(PdService, hosts.client.wire.unary("store-1:7410").transport);
    const requests = async function* () {
      yield {};
      await new Promise(() => {});
    };
    let error: unknown;
    const reading = (async () => {
      for await (const _response of client.regionHeartbeat(requests())) {
        hosts.server.process.kill();
        hosts.server.wire.stop("reset");
      }
    })().catch((reason: unknown) => {
      error = fromConnectError(reason);
    });
    await hosts.fixture.settle(reading);
    expect(error).toMatchObject({ code: "RDB_UNAVAILABLE" });
    const restarted = hosts.start("store-1");
    const fixture = { ...hosts.fixture, server: restarted.wire, serverClock: restarted.process };
    await serveEcho(fixture, {
      port: 7410,
      routes: (router) => router.service(KvService, { get: () => ({ found: true }) }),
    });
    const kv = createClient(KvService, hosts.client.wire.unary("store-1:7410").transport);
    expect((await hosts.fixture.settle(kv.get({}))).found).toBe(true);
  });
});
