import { type Clock, SeededRandom, type StoreId, peerId, silentLogger, systemClock } from "@flaredb/rdb-base";
import { MemoryEngine } from "@flaredb/rdb-storage";
import { describe, expect, test } from "vitest";
import { registerCommand } from "../testing/registration.ts";
import { PdRaft } from "./pd-raft.ts";
import { PdStorage } from "./pd-storage.ts";

const MEMBER = peerId(1);

/** A lone member needs no ticks, and one that crashed must not go on ticking. */
const timeless: Clock = { ...systemClock, setTimer: () => ({ cancel: () => {} }) };

function newEngine(random: SeededRandom): MemoryEngine {
  return new MemoryEngine({
    clock: systemClock,
    random,
    onFatal: (error) => {
      throw error;
    },
  });
}

async function startOver(
  engine: MemoryEngine,
  random: SeededRandom,
): Promise<{ readonly raft: PdRaft; readonly storage: PdStorage }> {
  const storage = await PdStorage.open(engine, { memberId: MEMBER, firstVoters: [MEMBER], firstNames: [] });
  const raft = new PdRaft({
    memberId: MEMBER,
    storage,
    clock: timeless,
    random,
    logger: silentLogger,
    tickMs: 100,
    heartbeatTicks: 2,
    electionTicks: 10,
    send: () => false,
    onExcluded: () => {},
  });
  await new Promise<void>((leads) => {
    raft.watch({ leads, follows: () => {}, advanced: () => {} });
    raft.start();
  });
  return { raft, storage };
}

function turns(count: number): Promise<void> {
  return new Promise((resolve) => {
    const next = (left: number): void => {
      if (left === 0) {
        resolve();
      } else {
        setImmediate(() => next(left - 1));
      }
    };
    next(count);
  });
}

describe("SPEC-R1, SPEC-R3, SPEC-M7: PD's own log", () => {
  test("a lone member serves at once, applies what is proposed, in order, and counts it", async () => {
    const random = new SeededRandom(1);
    const { raft } = await startOver(newEngine(random), random);
    expect(raft.leaderMemberId).toBe(1);
    const before = raft.appliedIndex;
    const leases = await Promise.all([1, 2, 3].map((count) => raft.propose({ kind: "LeaseIds", count })));
    expect(leases.map(({ firstId }) => firstId)).toEqual([1, 2, 4]);
    expect(raft.appliedIndex).toBe(before + 3);
  });

  test("a command that is refused is told to its proposer, and the next one goes on", async () => {
    const random = new SeededRandom(1);
    const { raft } = await startOver(newEngine(random), random);
    await raft.propose(registerCommand());
    await expect(raft.propose(registerCommand({ registrationToken: "another" }))).rejects.toMatchObject({
      code: "RDB_ALREADY_EXISTS",
    });
    expect((await raft.propose({ kind: "LeaseIds", count: 1 })).firstId).toBe(1);
  });

  test("what waits when PD stops is told that its end is unknown, and nothing is taken after", async () => {
    const random = new SeededRandom(1);
    const { raft } = await startOver(newEngine(random), random);
    const waiting = raft.propose({ kind: "LeaseIds", count: 1 });
    const outcome = waiting.catch((error: unknown) => error);
    await raft.close();
    expect(await outcome).toMatchObject({ code: "RDB_CLOSED" });
    await expect(raft.propose({ kind: "LeaseIds", count: 1 })).rejects.toMatchObject({ code: "RDB_CLOSED" });
  });

  test.each(Array.from({ length: 25 }, (_, at) => at + 1))(
    "seed %i: whatever a crash takes, nothing that was answered is lost and no id comes twice",
    async (seed) => {
      const random = new SeededRandom(seed);
      let engine = newEngine(random);
      const leased = new Set<number>();
      const registered = new Map<string, StoreId>();
      for (let run = 0; run < 6; run++) {
        const { raft, storage } = await startOver(engine, random);
        for (const [address, id] of registered) {
          expect(storage.state.stores.get(id)?.address).toBe(address);
        }
        let crashed = false;
        const note = <Result>(answer: Promise<Result>, take: (result: Result) => void): void => {
          // An answer after the crash went to nobody.
          void answer.then((result) => (crashed ? undefined : take(result)));
        };
        for (let step = random.nextInt(30); step >= 0; step--) {
          const count = 1 + random.nextInt(5);
          note(raft.propose({ kind: "LeaseIds", count }), ({ firstId }) => {
            for (let id = firstId; id < firstId + count; id++) {
              expect(leased.has(id)).toBe(false);
              leased.add(id);
            }
          });
          const address = `127.0.0.1:${1_000 + random.nextInt(20)}`;
          note(raft.propose(registerCommand({ address })), ({ store }) => {
            expect(registered.get(address) ?? store.id).toBe(store.id);
            registered.set(address, store.id);
          });
          await turns(random.nextInt(3));
        }
        crashed = true;
        engine = engine.crash();
      }
      expect(leased.size).toBeGreaterThan(0);
      expect(registered.size).toBeGreaterThan(0);
    },
  );
});
