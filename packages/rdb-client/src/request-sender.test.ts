import { MiB, peerOnStore, storeId } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { scene } from "./testing/connect.ts";
import { LATENCY_MS, SILENCE_MS } from "./testing/fake-cluster.ts";

/** Requests that reached any Store. */
function sentCount(cluster: {
  readonly stores: readonly { readonly requests: readonly unknown[] }[];
}): number {
  return cluster.stores.reduce((sum, store) => sum + store.requests.length, 0);
}

const written = (cluster: { rows: { writeCounts: Map<string, number> } }, key: string): number =>
  cluster.rows.writeCounts.get(key) ?? 0;

describe("NotLeader", () => {
  test("with a hint: the call switches at once", async () => {
    const { client, cluster, clock, until } = await scene();
    cluster.moveLeader("k", 2);
    const startedMs = clock.monotonicMs();
    await until(client.put("k", "v"));
    // Two connections and two round trips, and no pause.
    expect(clock.monotonicMs() - startedMs).toBeCloseTo(6 * LATENCY_MS, 5);
    expect(cluster.store(1).requests).toHaveLength(1);
    await until(client.put("k", "w"));
    expect(cluster.store(1).requests).toHaveLength(1);
    expect(cluster.store(2).requests).toHaveLength(2);
  });

  test("without a hint: the other peers are asked, then it pauses, then it asks the placement driver", async () => {
    const { client, cluster, clock, until } = await scene();
    cluster.moveLeader("k", undefined);
    cluster.pdCalls.length = 0;
    const call = client.put("k", "v");
    await clock.advance(6 * LATENCY_MS);
    expect(cluster.stores.filter((store) => store.requests.length === 1).length).toBeGreaterThanOrEqual(2);
    await clock.advance(100);
    expect(cluster.stores.map((store) => store.requests.length).every((count) => count >= 2)).toBe(true);
    expect(cluster.pdCalls).toContain("getRegion");
    // Pauses grow: this is no busy loop.
    await clock.advance(1_900);
    expect(sentCount(cluster)).toBeLessThan(60);
    cluster.moveLeader("k", 3);
    const electedMs = clock.monotonicMs();
    await until(call);
    expect(clock.monotonicMs() - electedMs).toBeLessThan(510);
    expect(written(cluster, "k")).toBe(1);
  });

  test("peers that hint at each other do not make the call spin", async () => {
    const { client, cluster, clock, failure } = await scene({ connect: { deadlineMs: 1_000 } });
    const region = cluster.region("k");
    cluster.store(1).believedLeader = () => peerOnStore(region, storeId(2));
    cluster.store(2).believedLeader = () => peerOnStore(region, storeId(1));
    cluster.store(3).believedLeader = () => peerOnStore(region, storeId(1));
    const startedMs = clock.monotonicMs();
    expect(await failure(client.put("k", "v"))).toMatchObject({ code: "RDB_DEADLINE_EXCEEDED" });
    expect(clock.monotonicMs() - startedMs).toBeCloseTo(1_000, 0);
    expect(sentCount(cluster)).toBeLessThan(80);
  });

  test("many calls between such peers do not keep each other awake", async () => {
    const { client, cluster, clock } = await scene({ connect: { deadlineMs: 1_000 } });
    const region = cluster.region("k");
    cluster.store(1).believedLeader = () => peerOnStore(region, storeId(2));
    cluster.store(2).believedLeader = () => peerOnStore(region, storeId(1));
    cluster.store(3).believedLeader = () => peerOnStore(region, storeId(1));
    const calls = Array.from({ length: 100 }, (_, id) => client.put(`k${id}`, "v").catch(() => {}));
    await clock.until(Promise.all(calls));
    // Each call may be woken every 50 ms, and asks three peers then.
    expect(sentCount(cluster)).toBeLessThan(100 * (1_000 / 50) * 4);
  });

  test("one call's news wakes the others that wait for the leader", async () => {
    const { client, cluster, clock, until } = await scene();
    cluster.moveLeader("k", undefined);
    const calls = Array.from({ length: 50 }, (_, id) => client.put(`k${id}`, "v"));
    await clock.advance(2_000);
    cluster.moveLeader("k", 2);
    const electedMs = clock.monotonicMs();
    await until(Promise.race(calls));
    const firstMs = clock.monotonicMs();
    await until(Promise.all(calls));
    expect(firstMs - electedMs).toBeLessThan(510);
    expect(clock.monotonicMs() - firstMs).toBeLessThan(5);
  });
});

describe("a changed map", () => {
  test("SPEC-S5: EpochNotMatch brings the Regions: retried at once, without the placement driver", async () => {
    const { client, cluster, clock, until } = await scene();
    await until(client.put("a", "1"));
    cluster.split("m");
    cluster.isPdUp = false;
    cluster.pdCalls.length = 0;
    const startedMs = clock.monotonicMs();
    await until(client.put("z", "2"));
    expect(clock.monotonicMs() - startedMs).toBeCloseTo(4 * LATENCY_MS, 5);
    await until(client.put("b", "3"));
    expect(cluster.leaderStore("a").requests).toHaveLength(4);
    expect(cluster.pdCalls).toEqual([]);
  });

  test("a Store that is behind the client's map is given time", async () => {
    const { client, cluster, clock, until } = await scene({}, (prepared) => {
      prepared.store(1).regions = prepared.regions;
      prepared.split("m");
    });
    const call = client.put("a", "v");
    await clock.advance(50);
    expect(cluster.store(1).requests.length).toBeGreaterThan(1);
    expect(written(cluster, "a")).toBe(0);
    cluster.store(1).regions = undefined;
    await until(call);
    expect(written(cluster, "a")).toBe(1);
  });

  test("RegionNotFound: another peer is asked, and the placement driver", async () => {
    const { client, cluster, until } = await scene();
    cluster.pdCalls.length = 0;
    cluster.store(1).regions = [];
    cluster.moveLeader("k", 3);
    await until(client.put("k", "v"));
    expect(cluster.store(1).requests).toHaveLength(1);
    expect(cluster.pdCalls).toContain("getRegion");
    expect(written(cluster, "k")).toBe(1);
  });

  test("KeyNotInRegion: the Region that comes with it is taken", async () => {
    const { client, cluster, until } = await scene();
    await until(client.get("k"));
    cluster.isPdUp = false;
    const stale = cluster.regions[0];
    cluster.split("m");
    const [left] = cluster.regions;
    let refusals = 0;
    cluster.store(1).intercept = (request) => {
      if (request.command.case === "put" && refusals++ === 0) {
        return {
          case: "keyNotInRegion",
          value: {
            key: request.command.value.key,
            region: {
              id: 1n,
              startKey: left?.startKey ?? new Uint8Array(0),
              endKey: left?.endKey ?? new Uint8Array(0),
              epoch: { confVer: 1n, version: 2n },
              peers: [{ id: 11n, storeId: 1n, role: 1 }],
            },
          },
        };
      }
      return undefined;
    };
    const call = client.put("z", "v");
    cluster.isPdUp = true;
    await until(call);
    expect(refusals).toBeGreaterThan(0);
    expect(stale?.endKey).toHaveLength(0);
    expect(written(cluster, "z")).toBe(1);
  });

  test("StoreNotMatch: the address is forgotten and asked for again", async () => {
    const { client, cluster, until } = await scene();
    const first = cluster.store(1);
    const second = cluster.store(2);
    [first.address, second.address] = [second.address, first.address];
    await until(client.put("k", "v"));
    expect(written(cluster, "k")).toBe(1);
    expect(first.requests.length).toBeGreaterThan(0);
  });
});

describe("a Store at another's address", () => {
  test("is found by what the other Stores say when the placement driver is away", async () => {
    const { client, cluster, until } = await scene();
    const [first, second] = [cluster.store(1), cluster.store(2)];
    [first.address, second.address] = [second.address, first.address];
    cluster.isPdUp = false;
    await until(client.put("k", "v"));
    expect(written(cluster, "k")).toBe(1);
  });
});

describe("a Store that says not now", () => {
  test("ServerIsBusy: waits at least as long as it was told", async () => {
    const { client, cluster, clock, until } = await scene();
    let refusals = 0;
    cluster.store(1).intercept = () =>
      refusals++ === 0 ? { case: "serverIsBusy", value: { reason: "proposals", backoffMs: 700 } } : undefined;
    const startedMs = clock.monotonicMs();
    await until(client.put("k", "v"));
    expect(clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(700);
    expect(clock.monotonicMs() - startedMs).toBeLessThan(1_060);
    expect(written(cluster, "k")).toBe(1);
  });

  test("ServerIsBusy without a time: 50 ms and more each time", async () => {
    const { client, cluster, clock } = await scene();
    cluster.store(1).intercept = () => ({ case: "serverIsBusy", value: { reason: "proposals" } });
    client.put("k", "v").catch(() => {});
    await clock.advance(2_000);
    const count = cluster.store(1).requests.length;
    expect(count).toBeGreaterThan(3);
    expect(count).toBeLessThan(9);
  });

  test("a busy Store is not asked earlier because of other news", async () => {
    const { client, cluster, clock, until } = await scene({ splitKeys: ["m"] });
    cluster.store(1).intercept = (request) =>
      request.command.case === "put"
        ? { case: "serverIsBusy", value: { reason: "proposals", backoffMs: 1_000 } }
        : undefined;
    client.put("a", "v").catch(() => {});
    await clock.advance(10);
    cluster.moveLeader("z", 3);
    await until(client.get("z"));
    await clock.advance(500);
    expect(cluster.store(1).requests.filter((request) => request.command.case === "put")).toHaveLength(1);
  });

  test("DiskFull: tried until the deadline, which says why", async () => {
    const { client, cluster, failure } = await scene();
    cluster.store(1).intercept = () => ({ case: "diskFull", value: {} });
    const error = await failure(client.put("k", "v", { deadlineMs: 500 }));
    expect(error).toMatchObject({ code: "RDB_DEADLINE_EXCEEDED", details: { lastCode: "RDB_DISK_FULL" } });
    expect(cluster.store(1).requests.length).toBeGreaterThan(1);
  });

  test("DataCorrupt: a read goes to another peer, which may serve it as a follower", async () => {
    const { client, cluster, until } = await scene();
    await until(client.put("k", "v"));
    cluster.store(1).intercept = () => ({ case: "dataCorrupt", value: {} });
    expect((await until(client.get("k")))?.text()).toBe("v");
  });

  test("InvalidArgument: not tried again", async () => {
    const { client, cluster, failure } = await scene();
    cluster.store(1).intercept = () => ({ case: "invalidArgument", value: { field: "key" } });
    expect(await failure(client.put("k", "v"))).toMatchObject({
      code: "RDB_INVALID_ARGUMENT",
      details: { field: "key" },
    });
    expect(sentCount(cluster)).toBe(1);
  });
});

describe("a write that was sent", () => {
  test("StaleCommand: sent again as the same write; a read simply again", async () => {
    const { client, cluster, until } = await scene();
    let refusals = 0;
    cluster.store(1).intercept = () => (refusals++ < 2 ? "stale but applied" : undefined);
    await until(client.put("k", "v"));
    expect(written(cluster, "k")).toBe(1);
    refusals = 0;
    expect((await until(client.get("k")))?.text()).toBe("v");
    expect(refusals).toBeGreaterThan(1);
  });

  test.each([
    ["put", "dead"],
    ["delete", "dead"],
    ["compareAndSwap", "dead"],
    ["put", "mute"],
  ] as const)("%s: lost with a %s Store: done at the next leader, once", async (operation, state) => {
    const { client, cluster, clock, until } = await scene();
    await until(client.get("k"));
    const call: Promise<{ readonly regionId: number; readonly succeeded?: boolean }> =
      operation === "put"
        ? client.put("k", "v")
        : operation === "delete"
          ? client.delete("k")
          : client.compareAndSwap("k", { absent: true }, "v");
    // Handed to the socket, not yet answered.
    await clock.advance(LATENCY_MS / 2);
    cluster.setState(1, state);
    cluster.moveLeader("k", 2);
    const { succeeded } = await until(call);
    expect(succeeded).not.toBe(false);
    expect(written(cluster, "k")).toBe(1);
  });

  test("nobody leads from then on: undetermined at its deadline", async () => {
    const { client, cluster, clock, failure, until } = await scene();
    await until(client.get("k"));
    const startedMs = clock.monotonicMs();
    const call = client.put("k", "v", { deadlineMs: 5_000 });
    await clock.advance(LATENCY_MS / 2);
    cluster.setState(1, "mute");
    cluster.moveLeader("k", undefined);
    const error = await failure(call);
    expect(error).toMatchObject({
      code: "RDB_UNDETERMINED_RESULT",
      details: { regionId: 1 },
      cause: { code: "RDB_DEADLINE_EXCEEDED" },
    });
    expect(clock.monotonicMs() - startedMs).toBeCloseTo(5_000, 0);
  });

  test("a read in the same place is sent again, elsewhere", async () => {
    const { client, cluster, clock, until } = await scene();
    await until(client.put("k", "v"));
    const call = client.get("k");
    await clock.advance(LATENCY_MS / 2);
    cluster.setState(1, "dead");
    cluster.moveLeader("k", 2);
    expect((await until(call))?.text()).toBe("v");
  });

  test("unanswered at its deadline: undetermined; a read: deadline exceeded", async () => {
    const { client, cluster, clock, failure } = await scene();
    for (const store of cluster.stores) {
      store.intercept = () => "unanswered";
    }
    const startedMs = clock.monotonicMs();
    const error = await failure(client.put("k", "v", { deadlineMs: 300 }));
    expect(error).toMatchObject({ code: "RDB_UNDETERMINED_RESULT" });
    expect(clock.monotonicMs() - startedMs).toBeCloseTo(300, 0);
    expect(await failure(client.get("k", { deadlineMs: 300 }))).toMatchObject({
      code: "RDB_DEADLINE_EXCEEDED",
    });
  });

  test("each call ends at its own deadline", async () => {
    const { client, cluster, clock, until } = await scene();
    cluster.store(1).intercept = () => "unanswered";
    const startedMs = clock.monotonicMs();
    const endedAfterMs = [900, 300, 600].map(async (deadlineMs) => {
      await client.put(`k${deadlineMs}`, "v", { deadlineMs }).catch(() => {});
      return Math.round(clock.monotonicMs() - startedMs);
    });
    expect(await until(Promise.all(endedAfterMs))).toEqual([900, 300, 600]);
  });

  test("the Store is told how long the client waits", async () => {
    const { client, cluster, until } = await scene();
    await until(client.put("k", "v", { deadlineMs: 300 }));
    const [request] = cluster.store(1).requests;
    expect(request?.timeoutMs).toBeGreaterThan(290);
    expect(request?.timeoutMs).toBeLessThanOrEqual(300);
  });

  test("an answer that comes after the call was given up is ignored", async () => {
    const { client, cluster, clock, failure, until } = await scene();
    await until(client.get("k"));
    const signal = new AbortController();
    const call = client.put("k", "v", { signal: signal.signal });
    await clock.advance(1.5 * LATENCY_MS);
    signal.abort();
    expect(await failure(call)).toMatchObject({ code: "RDB_UNDETERMINED_RESULT" });
    await clock.advance(10);
    expect(written(cluster, "k")).toBe(1);
    expect((await until(client.get("k")))?.text()).toBe("v");
  });
});

describe("a write that was not sent", () => {
  test("the Store refuses connections: goes to another peer, and is applied once", async () => {
    const { client, cluster, until } = await scene();
    cluster.setState(1, "dead");
    cluster.moveLeader("k", 2);
    await until(client.put("k", "v"));
    expect(cluster.store(1).requests).toHaveLength(0);
    expect(written(cluster, "k")).toBe(1);
  });

  test("nobody leads: deadline exceeded, with the reason", async () => {
    const { client, cluster, failure } = await scene();
    cluster.moveLeader("k", undefined);
    const error = await failure(client.put("k", "v", { deadlineMs: 400 }));
    expect(error).toMatchObject({
      code: "RDB_DEADLINE_EXCEEDED",
      details: { lastCode: "RDB_NOT_LEADER" },
      message: expect.stringContaining('put of key "k"') as string,
    });
  });

  test("aborted before it is sent: RDB_ABORTED, and it is not sent later", async () => {
    const { client, cluster, clock, failure } = await scene();
    const already = AbortSignal.abort();
    expect(await failure(client.put("k", "v", { signal: already }))).toMatchObject({ code: "RDB_ABORTED" });
    const controller = new AbortController();
    // Its Store is not connected yet.
    const call = client.put("k", "v", { signal: controller.signal });
    controller.abort(new Error("enough"));
    expect(await failure(call)).toMatchObject({ code: "RDB_ABORTED", cause: { message: "enough" } });
    await clock.advance(100);
    expect(sentCount(cluster)).toBe(0);
  });

  test("closing the client: RDB_CLOSED; a write that was sent is undetermined", async () => {
    const { client, cluster, clock, failure, until } = await scene({ splitKeys: ["m"] });
    await until(client.get("a"));
    cluster.moveLeader("z", undefined);
    const sent = client.put("a", "v");
    const waiting = client.put("z", "v");
    const ended = Promise.allSettled([sent, waiting]);
    await clock.advance(LATENCY_MS / 2);
    client.close();
    expect(await until(ended)).toMatchObject([
      { reason: { code: "RDB_UNDETERMINED_RESULT" } },
      { reason: { code: "RDB_CLOSED" } },
    ]);
    expect(await failure(client.get("a"))).toMatchObject({ code: "RDB_CLOSED" });
  });
});

describe("calls in flight", () => {
  test("are bounded by their bytes: one more is refused, unsent", async () => {
    const { client, cluster, failure, until } = await scene();
    const value = new Uint8Array(8 * MiB);
    const calls = Array.from({ length: 31 }, (_, id) => client.put(`k${id}`, value));
    expect(await failure(client.put("a", value))).toMatchObject({ code: "RDB_SERVER_IS_BUSY" });
    await until(Promise.all(calls));
    expect(written(cluster, "a")).toBe(0);
    await until(client.put("a", value));
    expect(written(cluster, "a")).toBe(1);
  });
});

describe("a leader that is gone", () => {
  test("killed: writes go on within half a second of the election, though followers still hint at it", async () => {
    const { client, cluster, clock, until } = await scene();
    await until(client.put("k", "1"));
    const dead = cluster.store(1);
    const old = cluster.leaders.get(cluster.region("k").id);
    cluster.setState(1, "dead");
    cluster.store(2).believedLeader = () => old;
    cluster.store(3).believedLeader = () => old;
    await clock.advance(5);
    const call = client.put("k", "2");
    await clock.advance(1_500);
    cluster.store(2).believedLeader = undefined;
    cluster.store(3).believedLeader = undefined;
    cluster.moveLeader("k", 3);
    const electedMs = clock.monotonicMs();
    await until(call);
    expect(clock.monotonicMs() - electedMs).toBeLessThan(510);
    expect(dead.requests).toHaveLength(1);
    expect(written(cluster, "k")).toBe(2);
  });

  test("silent: reads move on to other peers when the connection is given up", async () => {
    const { client, cluster, clock, until } = await scene();
    await until(client.put("k", "v"));
    cluster.setState(1, "silent");
    cluster.moveLeader("k", 2);
    const startedMs = clock.monotonicMs();
    expect((await until(client.get("k")))?.text()).toBe("v");
    expect(clock.monotonicMs() - startedMs).toBeLessThan(SILENCE_MS + 10);
    // Back, and usable again.
    cluster.setState(1, "up");
    cluster.moveLeader("k", 1);
    await until(client.put("k", "w"));
    expect(written(cluster, "k")).toBe(2);
  });

  test("silent: a Store that was given up holds nobody up until it speaks again", async () => {
    const { client, cluster, clock, until } = await scene();
    await until(client.put("k", "v"));
    cluster.setState(1, "silent");
    cluster.store(2).believedLeader = () => undefined;
    cluster.store(3).believedLeader = () => undefined;
    await clock.advance(SILENCE_MS + 500);
    const call = client.put("k", "w");
    await clock.advance(200);
    cluster.store(2).believedLeader = undefined;
    cluster.store(3).believedLeader = undefined;
    cluster.moveLeader("k", 2);
    const electedMs = clock.monotonicMs();
    await until(call);
    expect(clock.monotonicMs() - electedMs).toBeLessThan(300);
  });

  test("alive but deaf to one read: another peer is asked after two seconds", async () => {
    const { client, cluster, clock, until } = await scene();
    await until(client.put("k", "v"));
    cluster.store(1).intercept = () => "unanswered";
    cluster.moveLeader("k", 2);
    const startedMs = clock.monotonicMs();
    expect((await until(client.get("k")))?.text()).toBe("v");
    expect(clock.monotonicMs() - startedMs).toBeLessThan(2_100);
  });

  test("a Store that comes back is used again", async () => {
    const { client, cluster, clock, until } = await scene({ storeCount: 1 });
    await until(client.put("k", "1"));
    cluster.setState(1, "dead");
    await clock.advance(5);
    const call = client.put("k", "2");
    await clock.advance(3_000);
    cluster.setState(1, "up");
    const backMs = clock.monotonicMs();
    await until(call);
    expect(clock.monotonicMs() - backMs).toBeLessThan(2_100);
  });
});

describe("the placement driver", () => {
  test("is not needed once the map is known: leader moves and splits are followed without it", async () => {
    const { client, cluster, until } = await scene({ splitKeys: ["m"] });
    cluster.isPdUp = false;
    await until(client.put("a", "1"));
    cluster.moveLeader("z", 1);
    await until(client.put("z", "2"));
    cluster.split("f");
    await until(client.put("g", "3"));
    cluster.setState(2, "dead");
    expect((await until(client.scan().toArray())).map((row) => row.keyText())).toEqual(["a", "g", "z"]);
  });

  test("calls without a map wait for it, a few lookups for all of them", async () => {
    const { client, cluster, until } = await scene({ splitKeys: ["m"] }, (other) => {
      other.listsRegions = false;
    });
    cluster.pdCalls.length = 0;
    const calls = Array.from({ length: 200 }, (_, id) => client.put(`${id % 2 === 0 ? "a" : "z"}${id}`, "v"));
    await until(Promise.all(calls));
    expect(cluster.pdCalls.length).toBeLessThanOrEqual(8);
  });

  test("is away and the map unknown: waits, asks at growing intervals, says so at the deadline", async () => {
    const { client, cluster, clock, failure, until } = await scene({}, (other) => {
      other.listsRegions = false;
    });
    cluster.isPdUp = false;
    const error = await failure(client.put("k", "v", { deadlineMs: 2_000 }));
    expect(error).toMatchObject({
      code: "RDB_DEADLINE_EXCEEDED",
      details: { lastCode: "RDB_PD_UNAVAILABLE" },
    });
    const call = client.put("k", "v");
    await clock.advance(3_000);
    cluster.isPdUp = true;
    await until(call);
    expect(written(cluster, "k")).toBe(1);
  });

  test("several: the next is asked when one does not answer", async () => {
    const { client, until } = await scene({ connect: { pd: ["dead-1:7400", "pd-2:7400"] } });
    await until(client.put("k", "v"));
  });

  test("none answers: connect fails with RDB_PD_UNAVAILABLE, naming each", async () => {
    await expect(scene({ connect: { pd: ["dead-1:7400", "dead-2:7400"] } })).rejects.toMatchObject({
      code: "RDB_PD_UNAVAILABLE",
      message: expect.stringMatching(/dead-1:7400.*dead-2:7400/) as string,
    });
  });

  test("a cluster that is not bootstrapped: calls wait until it is", async () => {
    const { client, cluster, clock, until } = await scene({}, (other) => {
      other.isBootstrapped = false;
    });
    const call = client.put("k", "v");
    await clock.advance(1_000);
    cluster.isBootstrapped = true;
    await until(call);
    expect(written(cluster, "k")).toBe(1);
  });
});

describe("readFrom", () => {
  test("follower: not the leader, unless nobody else can", async () => {
    const { client, cluster, until } = await scene();
    await until(client.put("k", "v"));
    for (let count = 0; count < 10; count++) {
      expect((await until(client.get("k", { readFrom: "follower" })))?.text()).toBe("v");
    }
    expect(cluster.store(1).requests).toHaveLength(1);
    expect(cluster.store(2).requests.length).toBeGreaterThan(0);
    expect(cluster.store(3).requests.length).toBeGreaterThan(0);
    cluster.setState(2, "dead");
    cluster.setState(3, "dead");
    expect((await until(client.get("k", { readFrom: "follower" })))?.text()).toBe("v");
  });

  test("nearest: the shortest round trip, once all were measured", async () => {
    // The fake's round trip to a Store is its id in milliseconds.
    const { client, cluster, until } = await scene({ connect: { readFrom: "nearest" } });
    cluster.moveLeader("k", 3);
    for (let count = 0; count < 20; count++) {
      await until(client.get("k"));
    }
    expect(cluster.store(1).requests.length).toBeGreaterThanOrEqual(18);
    await until(client.put("k", "v"));
    expect(written(cluster, "k")).toBe(1);
  });
});
