import type { KvRequest } from "@flaredb/rdb-proto";
import { describe, expect, test } from "vitest";
import { type Scene, scene } from "./testing/connect.ts";
import { LATENCY_MS, type Intercepted } from "./testing/fake-cluster.ts";

const HOUR_MS = 3_600_000;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

const written = ({ cluster }: Scene, key: string): number => cluster.rows.writeCounts.get(key) ?? 0;

const writesOf = ({ cluster }: Scene): KvRequest[] =>
  cluster.stores.flatMap((store) => store.requests).filter((request) => request.command.case !== "get");

/** Does this to the next requests that reach the Store, one after the other. */
function meet({ cluster }: Scene, id: number, ...made: Intercepted[]): void {
  cluster.store(id).intercept = () => made.shift();
}

/** A cluster that the client is connected to, streams and all. */
async function connected(options: Parameters<typeof scene>[0] = {}): Promise<Scene> {
  const made = await scene(options);
  await made.until(made.client.scan().toArray());
  return made;
}

describe("the identity of a write", () => {
  test("rises with each write; reads have none", async () => {
    const made = await scene();
    for (const key of ["a", "b", "c"]) {
      await made.until(made.client.put(key, "v"));
      await made.until(made.client.get(key));
    }
    expect(made.cluster.store(1).requests.map(({ sequence }) => sequence)).toEqual([1, 0, 2, 0, 3, 0]);
    expect(new Set(writesOf(made).map(({ issuedAtMs }) => issuedAtMs > 0n))).toEqual(new Set([true]));
  });

  test("is a new one after a refusal, and the same one after silence", async () => {
    const made = await connected();
    meet(made, 1, { case: "serverIsBusy", value: { backoffMs: 100 } }, "stale but applied");
    await made.until(made.client.put("k", "v"));
    const [refused, lost, retried] = writesOf(made).filter(({ sequence }) => sequence > 0);
    expect([refused?.sequence, lost?.sequence, retried?.sequence]).toEqual([1, 2, 2]);
    expect(retried?.issuedAtMs).toBe(lost?.issuedAtMs);
    expect(lost?.issuedAtMs).toBeGreaterThan(refused?.issuedAtMs ?? 0n);
    expect(retried?.command).toEqual(lost?.command);
    expect(written(made, "k")).toBe(1);
  });

  test("brings the first answer again: a swap that succeeded is not told that it failed", async () => {
    const made = await connected();
    meet(made, 1, "answer lost");
    const swap = await made.until(made.client.compareAndSwap("k", { absent: true }, "v"));
    expect(swap).toMatchObject({ succeeded: true, version: 1 });
    meet(made, 1, "answer lost");
    expect(await made.until(made.client.delete("k"))).toMatchObject({ deleted: true });
    expect(written(made, "k")).toBe(2);
  });

  test("ends at once when the first answer was not kept, and does not claim that its condition held", async () => {
    const made = await connected();
    await made.until(made.client.put("k", "another's"));
    meet(made, 1, "answer lost", { case: "staleCommand", value: { answerNotKept: true } });
    const startedMs = made.clock.monotonicMs();
    const error = await made.until(
      made.client.compareAndSwap("k", { absent: true }, "mine").catch((reason: unknown) => reason),
    );
    expect(error).toMatchObject({
      code: "RDB_UNDETERMINED_RESULT",
      message: expect.stringContaining("was carried out, once, and whether its condition held is lost"),
      details: { isDecided: true },
    });
    expect(error).not.toHaveProperty("details.isApplied");
    expect(made.clock.monotonicMs() - startedMs).toBeLessThan(3_000);
    expect((await made.until(made.client.get("k")))?.text()).toBe("another's");
  });

  test("keeps a late copy of a lost attempt out", async () => {
    const made = await connected();
    meet(made, 1, "stale, applied later");
    await made.until(made.client.put("k", "mine"));
    await made.until(made.client.put("k", "another's"));
    await made.clock.advance(1_000);
    expect((await made.until(made.client.get("k")))?.text()).toBe("another's");
    expect(written(made, "k")).toBe(2);
  });
});

describe("a Store that does not answer a write", () => {
  test("is left for another after two seconds, though its connection lives", async () => {
    const made = await connected();
    made.cluster.store(1).intercept = () => "unanswered";
    made.cluster.moveLeader("k", 2);
    const startedMs = made.clock.monotonicMs();
    await made.until(made.client.put("k", "v"));
    expect(made.clock.monotonicMs() - startedMs).toBeLessThan(2_100);
    expect(written(made, "k")).toBe(1);
  });

  test("but answers others is at work: the write waits on", async () => {
    const made = await connected({ splitKeys: ["m"] });
    const { client, clock, cluster } = made;
    cluster.moveLeader("z", 1);
    await made.until(client.put("z", "v"));
    cluster.store(1).intercept = ({ command }) => (command.case === "put" ? "unanswered" : undefined);
    let isOver = false;
    const call = client.put("a", "v", { deadlineMs: 8_000 }).catch(() => {
      isOver = true;
    });
    for (let second = 0; second < 7; second++) {
      await clock.advance(1_000);
      await made.until(client.get("z"));
    }
    expect(isOver).toBe(false);
    expect(writesOf(made).filter(({ sequence }) => sequence === 2)).toHaveLength(1);
    await made.until(call);
    expect(isOver).toBe(true);
  });

  test("a late answer of the Store that was left is ignored", async () => {
    const made = await connected();
    made.cluster.setState(1, "mute");
    made.cluster.moveLeader("k", 2);
    const { version } = await made.until(made.client.put("k", "v"));
    made.cluster.setState(1, "up");
    await made.clock.advance(5_000);
    expect((await made.until(made.client.get("k")))?.version).toBe(version);
    expect(written(made, "k")).toBe(1);
  });
});

describe("RequestExpired", () => {
  test.each([HOUR_MS, -HOUR_MS, 6_000, -61_000])(
    "a Region whose log time is %i ms away: learned by one refusal",
    async (skewMs) => {
      const made = await scene();
      // An old client's time is not near 0.
      await made.clock.advance(2 * HOUR_MS);
      made.cluster.logTimeSkewMs.set(1, skewMs);
      await made.until(made.client.put("a", "v"));
      await made.until(made.client.put("b", "v"));
      const isAhead = skewMs > 0 && skewMs < 60_000;
      expect(writesOf(made).map(({ sequence }) => sequence)).toEqual(isAhead ? [1, 2] : [1, 2, 3]);
      expect([written(made, "a"), written(made, "b")]).toEqual([1, 1]);
    },
  );

  test("an earlier attempt may have been applied: undetermined", async () => {
    const made = await connected();
    let tries = 0;
    made.cluster.store(1).intercept = () => {
      if (tries++ === 0) {
        return "stale but applied";
      }
      made.cluster.logTimeSkewMs.set(1, HOUR_MS);
      return undefined;
    };
    expect(await made.failure(made.client.put("k", "v"))).toMatchObject({
      code: "RDB_UNDETERMINED_RESULT",
      cause: { code: "RDB_REQUEST_EXPIRED" },
    });
  });

  test("an earlier attempt may have been applied, and log time is behind: sent again until it has come so far", async () => {
    const made = await connected();
    await made.clock.advance(HOUR_MS);
    let tries = 0;
    made.cluster.store(1).intercept = () => {
      tries++;
      if (tries === 1) {
        return "stale but applied";
      }
      made.cluster.logTimeSkewMs.set(1, tries < 5 ? -6_000 : 0);
      return undefined;
    };
    await made.until(made.client.put("k", "v"));
    expect(tries).toBe(5);
    expect(Math.max(...writesOf(made).map(({ sequence }) => sequence))).toBe(1);
    expect(written(made, "k")).toBe(1);
  });

  test("a Region that never agrees is asked until the deadline, with pauses", async () => {
    const made = await connected();
    made.cluster.store(1).intercept = () => ({ case: "requestExpired", value: { logTimeMs: 1n } });
    const error = await made.failure(made.client.put("k", "v", { deadlineMs: 1_000 }));
    expect(error).toMatchObject({
      code: "RDB_DEADLINE_EXCEEDED",
      details: { lastCode: "RDB_REQUEST_EXPIRED" },
    });
    expect(writesOf(made).length).toBeLessThan(100);
  });
});

describe("SequenceClosed", () => {
  test("nothing of the write may have been applied: issued anew", async () => {
    const made = await connected();
    meet(made, 1, { case: "sequenceClosed", value: {} });
    await made.until(made.client.put("k", "v"));
    expect(written(made, "k")).toBe(1);
  });

  test("an earlier attempt may have been applied: undetermined", async () => {
    const made = await connected();
    meet(made, 1, "stale but applied", { case: "sequenceClosed", value: {} });
    expect(await made.failure(made.client.put("k", "v"))).toMatchObject({
      code: "RDB_UNDETERMINED_RESULT",
      cause: { code: "RDB_SEQUENCE_CLOSED" },
    });
  });
});

describe("what Regions remember", () => {
  test("is what the client still waits for, whatever other Regions do", async () => {
    const made = await connected({ splitKeys: ["m"] });
    made.cluster.moveLeader("z", undefined);
    const waiting = made.client.put("z", "v").catch(() => {});
    for (let count = 0; count < 50; count++) {
      await made.until(made.client.put(`a${count}`, "v"));
    }
    expect(made.cluster.sessionsOf(1).recordCount).toBe(1);
    made.cluster.moveLeader("z", 1);
    await made.until(waiting);
  });
});

describe("a batch that was sent, lost, and cut by a split", () => {
  const rows = ["a", "b", "n", "z"].map((key) => ({ key, value: key }));

  test.each(["answer lost", "unanswered"] as const)("%s: each row is written once", async (made) => {
    const at = await connected();
    meet(at, 1, made);
    const call = at.client.batchPut(rows);
    await at.clock.advance(3 * LATENCY_MS);
    at.cluster.split("m");
    at.cluster.split("t");
    const { versions } = await at.until(call);
    expect(rows.map(({ key }) => Number(at.cluster.rows.get(utf8(key))?.version))).toEqual(versions);
    expect(rows.map(({ key }) => written(at, key))).toEqual([1, 1, 1, 1]);
    const sequences = new Set(writesOf(at).map(({ sequence }) => sequence));
    expect([...sequences].filter((sequence) => sequence > 0)).toEqual([1]);
    // All of it is closed now.
    await at.until(at.client.put("c", "v"));
    expect(at.cluster.sessionsOf(1).recordCount).toBe(1);
  });

  test.each(["answer lost", "unanswered"] as const)("%s: each key is counted once", async (made) => {
    const at = await connected();
    await at.until(at.client.batchPut(rows));
    meet(at, 1, made);
    const call = at.client.batchDelete(["b", "z", "n", "y"]);
    await at.clock.advance(3 * LATENCY_MS);
    at.cluster.split("m");
    at.cluster.split("t");
    expect(await at.until(call)).toMatchObject({ deletedCount: 3 });
  });

  test.each(["answer lost", "unanswered"] as const)("%s: so is each range deleted", async (made) => {
    const at = await connected();
    await at.until(at.client.batchPut(rows));
    meet(at, 1, made);
    const call = at.client.deleteRange({ start: "a", end: "z" });
    await at.clock.advance(3 * LATENCY_MS);
    at.cluster.split("m");
    at.cluster.split("t");
    expect(await at.until(call)).toMatchObject({ regionCount: 3 });
    expect(rows.map(({ key }) => written(at, key))).toEqual([2, 2, 2, 1]);
  });

  test("its Regions cannot be found: undetermined, with the keys", async () => {
    const at = await connected();
    meet(at, 1, "answer lost");
    const call = at.client.batchPut(rows, { deadlineMs: 4_000 });
    await at.clock.advance(3 * LATENCY_MS);
    at.cluster.split("m");
    for (const { id } of at.cluster.stores) {
      at.cluster.setState(id, "dead");
    }
    const error = await at.failure(call);
    expect(error).toMatchObject({ code: "RDB_UNDETERMINED_RESULT", details: { notApplied: [] } });
  });

  test("a conditional batch: undetermined, for no Region holds all of it", async () => {
    const at = await connected();
    meet(at, 1, "answer lost");
    const call = at.failure(
      at.client.conditionalBatch({
        mutations: [
          { put: "a", value: "1" },
          { put: "z", value: "2" },
        ],
      }),
    );
    await at.clock.advance(3 * LATENCY_MS);
    at.cluster.split("m");
    expect(await call).toMatchObject({ code: "RDB_UNDETERMINED_RESULT" });
    expect([written(at, "a"), written(at, "z")]).toEqual([1, 1]);
  });
});
