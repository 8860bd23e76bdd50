import { SeededRandom, assert, peerId } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { pdLimits } from "../limits.ts";
import { MemberGroup } from "../testing/member-group.ts";
import { operatorRecord } from "../testing/operator-record.ts";
import { registerCommand } from "../testing/registration.ts";

const [FIRST, SECOND, THIRD, FOURTH] = [peerId(1), peerId(2), peerId(3), peerId(4)];
const VOTERS = [FIRST, SECOND, THIRD];

function seeds(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

/** Everybody who runs has applied what the leader has. */
async function level(group: MemberGroup): Promise<void> {
  await group.clock.until(() => {
    const applied = group.running.map(({ log }) => log.appliedIndex);
    return group.leader !== undefined && applied.every((index) => index === group.leader?.log.appliedIndex);
  });
}

describe("SPEC-M7: PD's group of three members", () => {
  test("one of them serves, the others say who does", async () => {
    const group = await MemberGroup.start(new SeededRandom(1), 3);
    const leader = await group.elected();
    await group.outcome(leader.leadership.driver.allocateIds(1));
    await group.clock.until(() => leader.storage.state.members.size === 3);
    await level(group);
    for (const follower of group.running.filter((member) => member !== leader)) {
      expect(() => follower.leadership.driver).toThrow(
        `PD member ${follower.id} does not lead, member ${leader.id} at 127.0.0.1:${7_400 + leader.id} does`,
      );
      expect(follower.storage.state.cluster).toEqual(leader.storage.state.cluster);
    }
  });

  test.each(seeds(20))(
    "seed %i: leaders die one after the other; no id comes twice, no Store is forgotten",
    async (seed) => {
      const random = new SeededRandom(seed);
      const group = await MemberGroup.start(random, 3);
      group.lossPerMille = random.nextInt(100);
      const ids = new Set<number>();
      const storeIds = new Set<number>();
      for (let round = 0; round < 8; round++) {
        const { id, log, leadership } = await group.elected();
        const calls = Array.from({ length: 5 }, async () => {
          const count = 1 + random.nextInt(2_000);
          const firstId = await leadership.driver.allocateIds(count);
          for (let each = firstId; each < firstId + count; each++) {
            expect(ids.has(each)).toBe(false);
            ids.add(each);
          }
        });
        const address = `127.0.0.1:${2_000 + round}`;
        const registration = log
          .propose(registerCommand({ address, registrationToken: `token-${round}` }))
          .then(({ store }) => storeIds.add(store.id));
        const all = Promise.allSettled([...calls, registration]);
        // Sometimes in the midst of it.
        await (random.nextInt(2) === 0 ? group.clock.pass(random.nextInt(100)) : group.outcome(all));
        group.kill(id);
        await all;
        if (random.nextInt(2) === 0) {
          await group.elected();
        }
        await group.startMember(id, VOTERS);
      }
      await level(group);
      const { storage } = await group.elected();
      expect(ids.size).toBeGreaterThan(0);
      expect(storeIds.size).toBeGreaterThan(0);
      for (const id of storeIds) {
        expect([...storage.state.stores.keys()]).toContain(id);
      }
    },
  );

  test("SPEC-M7: another member takes over within three seconds, and cancels what was begun, with a reason", async () => {
    const times: number[] = [];
    for (const seed of seeds(10)) {
      const group = await MemberGroup.start(new SeededRandom(seed), 3);
      const { id, log } = await group.elected();
      const operators = [operatorRecord(77, "Running")];
      await group.outcome(log.propose({ kind: "RecordOperators", operators }));
      group.kill(id);
      times.push(await group.clock.until(() => group.leader !== undefined));
      const next = await group.elected();
      const [operator] = next.leadership.driver.operators.controller.history.latest(10);
      expect(operator).toMatchObject({ id: 77, state: "Cancelled", endReason: "pd-restarted" });
    }
    expect(Math.max(...times)).toBeLessThan(3_000);
  });

  test("a leader that is cut off serves no longer, and another one does", async () => {
    const group = await MemberGroup.start(new SeededRandom(3), 3);
    const old = await group.elected();
    group.cutOff.add(old.id);
    const lost = old.log.propose({ kind: "LeaseIds", count: 1 }).catch((error: unknown) => error);
    await group.elected();
    await group.clock.until(() => !old.leadership.isServing);
    expect(await group.outcome(lost)).toMatchObject({ code: "RDB_STALE_COMMAND" });
    group.cutOff.clear();
    await level(group);
    expect(old.leadership.isServing).toBe(false);
  });

  test("members that answer are up at every moment, and one that died is not", async () => {
    const group = await MemberGroup.start(new SeededRandom(6), 3);
    const { id, roster } = await group.elected();
    const upIds = (): number[] => roster.members().flatMap((member) => (member.isUp ? [member.id] : []));
    await group.clock.until(() => upIds().length === 3);
    for (let ms = 0; ms < 3_000; ms++) {
      await group.clock.pass(1);
      expect(upIds()).toEqual(VOTERS);
    }
    const gone = VOTERS.find((voter) => voter !== id);
    assert(gone !== undefined, "somebody follows");
    group.kill(gone);
    await group.clock.until(() => upIds().length === 2);
    expect(upIds()).not.toContain(gone);
  });

  test("a leader whose disk stands still serves no longer once another one does, and names that one", async () => {
    const group = await MemberGroup.start(new SeededRandom(2), 3);
    const old = await group.elected();
    await group.outcome(old.leadership.driver.allocateIds(1));
    await group.clock.until(() => old.storage.state.members.size === 3);
    await level(group);
    group.stalled.add(old.id);
    const lost = old.log.propose({ kind: "LeaseIds", count: 1 }).catch((error: unknown) => error);
    const others = group.running.filter((member) => member !== old);
    await group.clock.until(() => others.some(({ leadership }) => leadership.isServing));
    await group.clock.until(() => !old.leadership.isServing);
    expect(await group.outcome(lost)).toMatchObject({ code: "RDB_STALE_COMMAND" });
    await group.clock.until(() => old.log.leaderMemberId !== 0);
    const next = others.find(({ leadership }) => leadership.isServing);
    assert(next !== undefined, "another one serves");
    await expect(old.log.propose({ kind: "LeaseIds", count: 1 })).rejects.toMatchObject({
      code: "RDB_NOT_LEADER",
      details: { leaderMemberId: next.id, leaderAddress: `127.0.0.1:${7_400 + next.id}` },
    });
  });

  test("a member that lacks more than the log keeps gets a snapshot", async () => {
    const group = await MemberGroup.start(new SeededRandom(4), 3);
    const { id, log } = await group.elected();
    const away = VOTERS.find((voter) => voter !== id);
    assert(away !== undefined, "somebody follows");
    group.kill(away);
    await group.outcome(log.propose(registerCommand()));
    for (let batch = 0; batch < 10; batch++) {
      const count = pdLimits.logCutAfterCount / 5;
      const leases = Array.from({ length: count }, () => log.propose({ kind: "LeaseIds", count: 1 }));
      await group.outcome(Promise.all(leases));
    }
    expect(group.sentTypes).not.toContain("MsgSnap");
    await group.startMember(away, VOTERS);
    await level(group);
    // It has said so, which it does once it lies on its disk.
    await group.clock.until(() => group.member(id).log.progressOf(away)?.matchIndex === log.appliedIndex);
    expect(group.sentTypes).toContain("MsgSnap");
    const { state } = group.member(away).storage;
    expect(state.cluster).toEqual(group.member(id).storage.state.cluster);
    expect([...state.stores]).toEqual([...group.member(id).storage.state.stores]);
    group.kill(away);
    const again = await group.startMember(away, VOTERS);
    expect(again.storage.state.cluster.nextId).toBeGreaterThan(pdLimits.logCutAfterCount);
    expect([...again.storage.state.stores.keys()]).toEqual([...state.stores.keys()]);
  });
});

describe("members of PD's group", () => {
  test("a member is added, gets its vote when it has everything, and may lead", async () => {
    const group = await MemberGroup.start(new SeededRandom(5), 3);
    const leader = await group.elected();
    const added = { name: "pd-4", address: "127.0.0.1:7404" };
    const member = await group.outcome(leader.keeper.add(added));
    expect(member.id).toBe(FOURTH);
    await group.clock.pass(3_000);
    expect(leader.roster.members().find(({ id }) => id === FOURTH)).toMatchObject({
      ...added,
      isLearner: true,
      isUp: false,
    });
    const joined = await group.startMember(FOURTH, []);
    await group.clock.until(() => leader.roster.members().every(({ isLearner }) => !isLearner));
    leader.keeper.transferLeader(FOURTH);
    await group.clock.until(() => joined.leadership.isServing);
    expect(joined.storage.state.members.get(FOURTH)).toMatchObject(added);
  });

  test("a member is removed, hears of it, and its id never comes back", async () => {
    const group = await MemberGroup.start(new SeededRandom(6), 3);
    const leader = await group.elected();
    const gone = VOTERS.find((id) => id !== leader.id);
    assert(gone !== undefined, "somebody follows");
    await group.outcome(leader.keeper.remove(gone));
    await group.clock.until(() => group.member(gone).isRemoved);
    expect(leader.roster.members().map(({ id }) => id)).not.toContain(gone);
    expect(leader.roster.isRemoved(gone)).toBe(true);
    const { id } = await group.outcome(leader.keeper.add({ name: "pd-new", address: "127.0.0.1:7499" }));
    expect(id).toBe(FOURTH);
  });

  test("a lone member becomes one of three", async () => {
    const group = await MemberGroup.start(new SeededRandom(7), 1);
    const first = await group.elected();
    for (const id of [SECOND, THIRD]) {
      await group.outcome(first.keeper.add({ name: `pd-${id}`, address: `127.0.0.1:${7_400 + id}` }));
      await group.startMember(id, []);
      await group.clock.until(() => first.roster.members().every(({ isLearner }) => !isLearner));
    }
    const before = await group.outcome(first.leadership.driver.allocateIds(1));
    group.kill(FIRST);
    const next = await group.elected();
    expect(await group.outcome(next.leadership.driver.allocateIds(1))).toBeGreaterThan(before);
  });
});
