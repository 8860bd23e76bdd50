import { describe, expect, it } from "vitest";
import {
  type KvCommand,
  type Outcome,
  type SentIdentity,
  SimCluster,
  type SimStore,
  batchPutCommand,
  casCommand,
  deleteCommand,
  deleteRangeCommand,
  expectConverged,
  kvCommand,
  putCommand,
  sessionRowsOf,
} from "../testing/index.ts";

const CLIENT_ID = 4_711n;
const EXPIRED = { kind: "failed", error: { reason: { case: "requestExpired" } } };
const CLOSED = { kind: "failed", error: { reason: { case: "sequenceClosed" } } };
const BUSY = { kind: "failed", error: { reason: { case: "serverIsBusy" } } };

function write(
  cluster: SimCluster,
  sequence: number,
  lowestOpenSequence = 1,
  clientId = CLIENT_ID,
): SentIdentity {
  return {
    session: { $typeName: "rdb.v1.ClientSession", clientId, lowestOpenSequence },
    sequence,
    issuedAtMs: Math.floor(cluster.clock.wallMs()),
  };
}

async function send(cluster: SimCluster, command: KvCommand, identity: SentIdentity): Promise<Outcome> {
  const leader = await cluster.waitForLeader();
  // A new leader first applies an entry of its term.
  await cluster.get("anything");
  return cluster.call(command, { identity, only: leader.storeId });
}

const everyWrite: readonly (readonly [string, KvCommand])[] = [
  ["put", putCommand("a", "mine")],
  ["delete", deleteCommand("a")],
  ["batchPut", batchPutCommand({ a: "mine", c: "mine" })],
  ["batchDelete", kvCommand({ case: "batchDelete", value: { keys: [new TextEncoder().encode("a")] } })],
  ["compareAndSwap", casCommand("a", "old", "mine")],
  ["a compareAndSwap that does not hold", casCommand("a", "other", "mine")],
  ["deleteRange", deleteRangeCommand("a", "b")],
];

describe("a write that is sent again", () => {
  it.each(everyWrite)(
    "SPEC-R4: %s is applied once and answered as it was: same leader, new leader, crash of all",
    async (_name, command) => {
      const cluster = await SimCluster.start({ seed: 1 });
      await cluster.put("a", "old");
      const identity = write(cluster, 1);
      const first = await send(cluster, command, identity);
      expect(first.kind).toBe("ok");
      await cluster.put("a", "somebody else's");
      const before = await cluster.scan();
      expect(await send(cluster, command, identity)).toEqual(first);
      const old = await cluster.waitForLeader();
      old.crash();
      await cluster.waitForLeader((store) => store !== old);
      expect(await send(cluster, command, identity)).toEqual(first);
      await cluster.complete(old.start());
      for (const store of cluster.stores) {
        store.crash();
      }
      await cluster.complete(Promise.all(cluster.stores.map((store) => store.start())));
      expect(await send(cluster, command, identity)).toEqual(first);
      expect(await cluster.scan()).toEqual(before);
      await expectConverged(cluster);
    },
  );

  it("SPEC-R4: is answered as it was by a peer that has it from a snapshot, and that leads", async () => {
    const cluster = await SimCluster.start({
      seed: 2,
      config: { logGc: { maxEntries: 5, checkIntervalMs: 100 }, hibernateAfterMs: 0 },
    });
    const leader = await cluster.waitForLeader();
    const away = cluster.others(leader.storeId)[1] as SimStore;
    cluster.isolate(away);
    const identity = write(cluster, 1);
    const first = await send(cluster, casCommand("count", undefined, "1"), identity);
    for (let n = 0; n < 20; n++) {
      await cluster.put(`k${n}`, "x", { only: leader.storeId });
    }
    await cluster.until(
      "the log is cut",
      () => cluster.statusOf(leader).firstIndex > cluster.statusOf(away).lastIndex + 1,
    );
    cluster.network.heal();
    await expectConverged(cluster);
    const { peerId } = cluster.statusOf(away);
    const { id, epoch } = cluster.region;
    const isTaken = (): boolean => leader.store.transferLeader(id, epoch, peerId).ok;
    await cluster.until("the leader knows that it has everything", isTaken);
    await cluster.waitForLeader((store) => store === away);
    expect(first).toMatchObject({ kind: "ok", result: { value: { succeeded: true } } });
    expect(await send(cluster, casCommand("count", undefined, "1"), identity)).toEqual(first);
    await expectConverged(cluster);
  });

  it("SPEC-R4: is applied once when both tries share an entry", async () => {
    const cluster = await SimCluster.start({ seed: 3 });
    const { storeId } = await cluster.waitForLeader();
    await cluster.put("a", "0");
    const identity = write(cluster, 1);
    const outcomes = await cluster.complete(
      Promise.all(
        [1, 2, 3].map(() => cluster.newClient().call(putCommand("a", "mine"), { identity, only: storeId })),
      ),
    );
    expect(outcomes[0]).toMatchObject({ kind: "ok", result: { value: { version: 2n } } });
    expect(outcomes).toEqual([outcomes[0], outcomes[0], outcomes[0]]);
    expect(cluster.statusOf(await cluster.waitForLeader()).revision).toBe(2);
  });

  it("is refused, and not applied, once it is a minute old", async () => {
    const cluster = await SimCluster.start({ seed: 4 });
    const identity = write(cluster, 1);
    expect((await send(cluster, putCommand("a", "mine"), identity)).kind).toBe("ok");
    await cluster.run(59_000);
    await cluster.put("a", "newer");
    expect((await send(cluster, putCommand("a", "mine"), identity)).kind).toBe("ok");
    await cluster.run(2_000);
    const late = await send(cluster, putCommand("a", "mine"), identity);
    expect(late).toMatchObject(EXPIRED);
    expect(await cluster.get("a")).toBe("newer");
    // And what is remembered of it goes.
    await cluster.run(10_000);
    await cluster.put("b", "1");
    await expectConverged(cluster);
    expect(await cluster.complete(sessionRowsOf(cluster.stores[0] as SimStore))).toEqual([]);
  });

  it("is refused when it is issued ahead of log time", async () => {
    const cluster = await SimCluster.start({ seed: 5 });
    await cluster.put("a", "1");
    const now = write(cluster, 1);
    const ahead = { ...now, issuedAtMs: now.issuedAtMs + 6_000 };
    expect(await send(cluster, putCommand("a", "2"), ahead)).toMatchObject(EXPIRED);
    expect(
      (await send(cluster, putCommand("a", "3"), { ...now, issuedAtMs: now.issuedAtMs + 4_000 })).kind,
    ).toBe("ok");
    expect(await cluster.get("a")).toBe("3");
  });

  it("is refused once its client has closed it, also after a restart", async () => {
    const cluster = await SimCluster.start({ seed: 6 });
    const identity = write(cluster, 1);
    expect((await send(cluster, putCommand("a", "1"), identity)).kind).toBe("ok");
    expect((await send(cluster, putCommand("a", "2"), write(cluster, 2, 2))).kind).toBe("ok");
    expect(await send(cluster, putCommand("a", "1"), identity)).toMatchObject(CLOSED);
    for (const store of cluster.stores) {
      store.crash();
    }
    await cluster.complete(Promise.all(cluster.stores.map((store) => store.start())));
    expect(await send(cluster, putCommand("a", "1"), identity)).toMatchObject(CLOSED);
    expect(await cluster.get("a")).toBe("2");
    await expectConverged(cluster);
    expect(await cluster.complete(sessionRowsOf(cluster.stores[0] as SimStore))).toHaveLength(1);
  });

  it("SPEC-R4: is known by its parts when it is cut later, and is another write for other keys", async () => {
    const cluster = await SimCluster.start({ seed: 7 });
    const identity = write(cluster, 1);
    const whole = await send(cluster, batchPutCommand({ a: "1", b: "1", c: "1" }), identity);
    for (const part of [{ a: "1", b: "1" }, { c: "1" }]) {
      expect(await send(cluster, batchPutCommand(part), identity)).toEqual(whole);
    }
    const other = await send(cluster, batchPutCommand({ d: "1" }), identity);
    expect(other).toMatchObject({ kind: "ok", result: { value: { version: 4n } } });
    expect(await send(cluster, batchPutCommand({ d: "1" }), identity)).toEqual(other);
  });

  it("SPEC-R4: is another write for a key between those that are recorded", async () => {
    const cluster = await SimCluster.start({ seed: 7 });
    const identity = write(cluster, 1);
    await send(cluster, batchPutCommand({ a: "1", e: "1" }), identity);
    expect(await send(cluster, batchPutCommand({ c: "1" }), identity)).toMatchObject({ kind: "ok" });
    expect(await cluster.get("c")).toBe("1");
  });

  it("finds a bound of what is remembered, and room again when time has passed", async () => {
    const cluster = await fullTable();
    expect(await send(cluster, putCommand("a", "9"), write(cluster, 9))).toMatchObject(BUSY);
    expect(await send(cluster, putCommand("a", "9"), write(cluster, 1, 1, 99n))).toMatchObject(BUSY);
    // Without an identity nothing is to be remembered.
    await cluster.put("b", "1");
    await cluster.run(66_000);
    expect((await send(cluster, putCommand("a", "10"), write(cluster, 10))).kind).toBe("ok");
    expect((await send(cluster, putCommand("a", "11"), write(cluster, 11, 11))).kind).toBe("ok");
    await expectConverged(cluster);
    expect(await cluster.complete(sessionRowsOf(cluster.stores[0] as SimStore))).toHaveLength(1);
  });

  it("at the bound is answered again, and leaves it as soon as its client is done with something", async () => {
    const cluster = await fullTable();
    const again = write(cluster, 1);
    expect(await send(cluster, putCommand("a", "1"), again)).toMatchObject({ kind: "ok" });
    expect(await send(cluster, putCommand("a", "9"), write(cluster, 9, 1))).toMatchObject(BUSY);
    expect((await send(cluster, putCommand("a", "9"), write(cluster, 9, 3))).kind).toBe("ok");
    expect(await send(cluster, putCommand("a", "1"), again)).toMatchObject(CLOSED);
    // The others find room, without any time.
    expect((await send(cluster, putCommand("b", "1"), write(cluster, 1, 1, 1n))).kind).toBe("ok");
  });

  it("cannot starve those of others by never being done", async () => {
    const cluster = await SimCluster.start({ seed: 8, config: { sessions: { maxCount: 16 } } });
    const { storeId } = await cluster.waitForLeader();
    for (let sequence = 1; sequence <= 4; sequence++) {
      expect((await send(cluster, putCommand("a", "1"), write(cluster, sequence))).kind).toBe("ok");
    }
    const outcomes = await cluster.complete(
      Promise.all(
        [5, 6, 7, 8].map((sequence) =>
          cluster
            .newClient()
            .call(putCommand("a", "1"), { identity: write(cluster, sequence), only: storeId }),
        ),
      ),
    );
    expect(outcomes).toMatchObject([BUSY, BUSY, BUSY, BUSY]);
    for (let sequence = 1; sequence <= 40; sequence++) {
      const other = write(cluster, sequence, sequence, 99n);
      expect((await send(cluster, putCommand("b", `${sequence}`), other)).kind).toBe("ok");
    }
  });
});

/** Two clients have three writes open, a third one: all that may be remembered, with the clients. */
async function fullTable(): Promise<SimCluster> {
  const cluster = await SimCluster.start({ seed: 8, config: { sessions: { maxCount: 10 } } });
  await cluster.put("a", "0");
  for (const clientId of [CLIENT_ID, 2n]) {
    for (let sequence = 1; sequence <= 3; sequence++) {
      const put = putCommand("a", `${sequence}`);
      expect((await send(cluster, put, write(cluster, sequence, 1, clientId))).kind).toBe("ok");
    }
  }
  const last = await send(cluster, putCommand("a", "4"), write(cluster, 1, 1, 3n));
  expect(last.kind).toBe("ok");
  return cluster;
}
