import { RdbError, SeededRandom, errorCodes } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { type Scene, scene } from "./testing/connect.ts";
import type { FakeStoreState, Intercepted } from "./testing/fake-cluster.ts";

// Random faults under random calls: whatever happens, what the client says about each write is true.

const SEEDS = Array.from({ length: 25 }, (_, seed) => seed + 1);
const WRITE_COUNT = 150;
const STATES: FakeStoreState[] = ["dead", "silent", "mute"];
const LOSSES: Intercepted[] = ["unanswered", "answer lost", "stale but applied", "stale, applied later"];

/** Breaks something, or heals it. */
function disturb({ cluster, clock }: Scene, random: SeededRandom): void {
  const letter = String.fromCharCode(97 + random.nextInt(26));
  const id = 1 + random.nextInt(3);
  switch (random.nextInt(8)) {
    case 0:
      cluster.moveLeader(letter, undefined);
      clock.setTimer(random.nextInt(1_500), () => cluster.moveLeader(letter, 1 + random.nextInt(3)));
      return;
    case 1:
    case 2:
      cluster.moveLeader(letter, id);
      return;
    case 3:
      if (cluster.regions.length < 12 && cluster.region(letter).startKey[0] !== letter.charCodeAt(0)) {
        cluster.split(letter, random.nextInt(2) === 0 ? "left" : "right");
      }
      return;
    case 4: {
      cluster.setState(id, STATES[random.nextInt(STATES.length)] as FakeStoreState);
      clock.setTimer(2_000 + random.nextInt(3_000), () => cluster.setState(id, "up"));
      return;
    }
    case 5: {
      const store = cluster.store(id);
      store.intercept = () =>
        random.nextInt(2) === 0
          ? { case: "serverIsBusy", value: { reason: "proposals", backoffMs: random.nextInt(200) } }
          : undefined;
      clock.setTimer(random.nextInt(1_000), () => {
        store.intercept = undefined;
      });
      return;
    }
    case 6: {
      const store = cluster.store(id);
      store.intercept = () => (random.nextInt(2) === 0 ? LOSSES[random.nextInt(LOSSES.length)] : undefined);
      clock.setTimer(random.nextInt(500), () => {
        store.intercept = undefined;
      });
      return;
    }
    default:
      cluster.isPdUp = false;
      clock.setTimer(random.nextInt(4_000), () => {
        cluster.isPdUp = true;
      });
  }
}

function causesOf(error: unknown): string[] {
  return error instanceof RdbError ? [error.code, ...causesOf(error.cause)] : [];
}

/** Some write of some keys; each key is written once. */
function writeOf(
  { client }: Scene,
  random: SeededRandom,
  id: number,
): { keys: string[]; call: Promise<unknown> } {
  const key = (part: number): string => `${String.fromCharCode(97 + random.nextInt(26))}-${id}-${part}`;
  const options = { deadlineMs: 200 + random.nextInt(8_000) };
  switch (random.nextInt(4)) {
    case 0: {
      const first = key(0);
      const call = client.compareAndSwap(first, { absent: true }, "v", options).then(({ succeeded }) => {
        expect(succeeded).toBe(true);
      });
      return { keys: [first], call };
    }
    case 1: {
      const keys = [key(0), key(1), key(2)];
      return {
        keys,
        call: client.batchPut(
          keys.map((each) => ({ key: each, value: "v" })),
          options,
        ),
      };
    }
    default: {
      const only = key(0);
      return { keys: [only], call: client.put(only, "v", options) };
    }
  }
}

describe("under random faults", () => {
  test.each(SEEDS)("seed %i: acknowledged writes are applied once, refused ones never", async (seed) => {
    const random = new SeededRandom(seed);
    const made = await scene({ seed, splitKeys: ["m"] });
    const { cluster, clock } = made;
    const outcomes = new Map<string, unknown>();
    const calls: Promise<void>[] = [];
    for (let id = 0; id < WRITE_COUNT; id++) {
      const { keys, call } = writeOf(made, random, id);
      const note = (outcome: unknown): void => keys.forEach((key) => outcomes.set(key, outcome));
      calls.push(call.then(() => note("done"), note));
      if (random.nextInt(4) === 0) {
        disturb(made, random);
      }
      await clock.advance(random.nextInt(60));
    }
    await made.until(Promise.all(calls));
    expect(outcomes.size).toBeGreaterThanOrEqual(WRITE_COUNT);
    let doneCount = 0;
    for (const [key, outcome] of outcomes) {
      const appliedCount = cluster.rows.writeCounts.get(key) ?? 0;
      if (outcome === "done") {
        doneCount++;
        expect([key, appliedCount]).toEqual([key, 1]);
        continue;
      }
      expect(outcome).toBeInstanceOf(RdbError);
      const { code } = outcome as RdbError;
      expect(causesOf(outcome)).not.toContain("RDB_SEQUENCE_CLOSED");
      expect(causesOf(outcome)).not.toContain("RDB_REQUEST_EXPIRED");
      expect(["RDB_UNDETERMINED_RESULT", "RDB_DEADLINE_EXCEEDED"]).toContain(code);
      expect(appliedCount).toBeLessThanOrEqual(errorCodes[code].write === "unknown" ? 1 : 0);
    }
    // The faults are hard, but they leave a way.
    expect(doneCount).toBeGreaterThan(WRITE_COUNT / 10);
  });

  test.each(SEEDS.slice(0, 10))("seed %i: once healed, everything works again at once", async (seed) => {
    const random = new SeededRandom(seed);
    const made = await scene({ seed, splitKeys: ["m"] });
    const { client, cluster, clock, until } = made;
    const calls: Promise<unknown>[] = [];
    for (let round = 0; round < 60; round++) {
      disturb(made, random);
      calls.push(client.put(`${String.fromCharCode(97 + random.nextInt(26))}`, "v").catch(() => {}));
      calls.push(client.get("k", { readFrom: "follower" }).catch(() => {}));
      await clock.advance(random.nextInt(100));
    }
    await clock.advance(6_000);
    cluster.isPdUp = true;
    for (const store of cluster.stores) {
      store.intercept = undefined;
      store.state = "up";
    }
    for (const region of cluster.regions) {
      cluster.leaders.set(region.id, region.peers[random.nextInt(3)] as never);
    }
    await until(Promise.all(calls));
    await clock.advance(2_000);
    const startedMs = clock.monotonicMs();
    for (const letter of "abcdefghijklmnopqrstuvwxyz".split("")) {
      await until(client.put(`healed-${letter}`, "v"));
      await until(client.put(letter, "v"));
    }
    expect(clock.monotonicMs() - startedMs).toBeLessThan(3_000);
    const rows = await until(client.scan({ pageSize: 7 }).toArray());
    expect(rows.map((row) => row.keyText())).toEqual(
      cluster.rows.all.map((row) => new TextDecoder().decode(row.key)),
    );
  });
});
