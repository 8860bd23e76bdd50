import type { Client } from "@connectrpc/connect";
import { assert } from "@flaredb/rdb-base";
import { CommandRefusalReason, OperatorState, type PdAdminService, type Region } from "@flaredb/rdb-proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pdLimits } from "../limits.ts";
import type { FakeStore } from "../testing/fake-store.ts";
import { bootstrapped, refusal, registered } from "../testing/pd-cluster.ts";
import { RegionActor } from "../testing/region-actor.ts";
import { TestPd } from "../testing/test-pd.ts";

let pd: TestPd;
let admin: Client<typeof PdAdminService>;
let stores: FakeStore[];
/** Region 1 on Stores 1, 2 and 3; there is a Store 4. */
let actor: RegionActor;
let other: Region;

beforeEach(async () => {
  // Nothing is moved for balance alone.
  pd = await TestPd.start({ initialSplitKeys: ["m"], placement: { regionLimit: 0 } });
  admin = pd.adminClient();
  const made = await bootstrapped(pd);
  const fourth = await registered(pd, 7413);
  fourth.openStream();
  await fourth.next("storeList");
  stores = [...made.stores, fourth];
  const [region, second] = made.regions;
  assert(region !== undefined && second !== undefined, "there are two Regions");
  actor = new RegionActor(stores, region, made.stores[0]);
  other = second;
});

afterEach(() => pd.close());

async function ended(operatorId: bigint | undefined) {
  for (;;) {
    const { operator } = await admin.getOperator({ operatorId: operatorId ?? 0n });
    assert(operator !== undefined, "an operator is answered");
    if (operator.endedMs > 0n) {
      return operator;
    }
  }
}

async function reached(operatorId: bigint | undefined, step: number): Promise<void> {
  for (;;) {
    const { operator } = await admin.getOperator({ operatorId: operatorId ?? 0n });
    if (operator?.currentStep === step) {
      return;
    }
  }
}

/** What PD said to the leader by now has come: a word to all Stores came behind it. */
async function allSaid(): Promise<void> {
  actor.leader.received.length = 0;
  await registered(pd, 7499);
  await actor.leader.next("storeList");
}

const storesOf = ({ region }: RegionActor) => region.peers.map(({ storeId }) => storeId);

describe("SPEC-M7, SPEC-C1: people move peers", () => {
  test("a move is learner, both votes at once, out of the joint configuration, and only then the removal", async () => {
    const { operator } = await admin.movePeer({ regionId: 1n, fromStoreId: 2n, toStoreId: 4n });
    expect(operator).toMatchObject({ kind: "move-peer", origin: "admin", state: OperatorState.RUNNING });
    for (let step = 0; step < 4; step++) {
      await actor.act();
    }
    const done = await ended(operator?.id);
    expect(done.state).toBe(OperatorState.DONE);
    expect(done.steps.map(({ kind }) => kind)).toEqual([
      "add-learner",
      "enter-joint",
      "leave-joint",
      "remove-peer",
    ]);
    expect(storesOf(actor)).toEqual([1n, 3n, 4n]);
    const { route } = await pd.client().getRegionById({ regionId: 1n });
    expect(route?.region?.peers.map(({ storeId }) => storeId)).toEqual([1n, 3n, 4n]);
  });

  test("the leader's peer hands the leadership to another voter before it goes", async () => {
    const { operator } = await admin.movePeer({ regionId: 1n, fromStoreId: 1n, toStoreId: 4n });
    const sent: unknown[] = [];
    for (let step = 0; step < 5; step++) {
      sent.push((await actor.act()).command.case);
    }
    expect(sent).toEqual(["changePeers", "transferLeader", "changePeers", "changePeers", "changePeers"]);
    expect((await ended(operator?.id)).state).toBe(OperatorState.DONE);
    expect(storesOf(actor)).toEqual([2n, 3n, 4n]);
    expect(actor.leader.storeId).toBe(2n);
  });

  test("a peer too many, or one too few, is said to be no lasting one", async () => {
    const added = await admin.addPeer({ regionId: 1n, storeId: 4n });
    expect(added.operator?.motive).toBe(
      "a peer on store 4 is wanted; 4 peers are more than replicas 3: the replica checker removes one again, unless replicas is set to 4 (rdb scheduler config replicas=4)",
    );
    await admin.cancelOperator({ operatorId: added.operator?.id ?? 0n });
    const removed = await admin.removePeer({ regionId: 1n, storeId: 2n });
    expect(removed.operator?.motive).toContain("; 2 peers are fewer than replicas 3");
  });

  test("nobody votes before it has caught up", async () => {
    const { operator } = await admin.addPeer({ regionId: 1n, storeId: 4n });
    const add = await actor.leader.nextOrder();
    assert(add.command.case === "changePeers", "a peer is added");
    const learner = add.command.value.changes[0]?.peer?.id ?? 0n;
    actor.pendingPeerIds = [learner];
    actor.carryOut(add);
    await reached(operator?.id, 1);
    pd.clock.advance(10_000);
    await allSaid();
    expect(actor.leader.orderCount).toBe(0);
    actor.pendingPeerIds = [];
    actor.report();
    await actor.act();
    expect((await ended(operator?.id)).state).toBe(OperatorState.DONE);
  });

  test("a peer and a leadership are taken away", async () => {
    const transfer = await admin.transferRegionLeader({ regionId: 1n, toStoreId: 3n });
    await actor.act();
    expect((await ended(transfer.operator?.id)).state).toBe(OperatorState.DONE);
    const removal = await admin.removePeer({ regionId: 1n, storeId: 2n });
    await actor.act();
    expect((await ended(removal.operator?.id)).state).toBe(OperatorState.DONE);
    expect(storesOf(actor)).toEqual([1n, 3n]);
  });

  test("a command is said again until a report shows it", async () => {
    await admin.transferRegionLeader({ regionId: 1n, toStoreId: 3n });
    const first = await actor.leader.nextOrder();
    pd.clock.advance(pdLimits.commandRepeatAfterMs + pdLimits.operatorTickMs);
    const again = await actor.leader.nextOrder();
    expect(again).toEqual(first);
  });

  test.each([
    [CommandRefusalReason.QUORUM_AT_RISK, OperatorState.CANCELLED],
    [CommandRefusalReason.INVALID, OperatorState.CANCELLED],
    [CommandRefusalReason.IS_LEADER, OperatorState.RUNNING],
    [CommandRefusalReason.BUSY, OperatorState.RUNNING],
    [CommandRefusalReason.PEER_BEHIND, OperatorState.RUNNING],
    [CommandRefusalReason.NOT_LEADER, OperatorState.RUNNING],
    [CommandRefusalReason.EPOCH_NOT_MATCH, OperatorState.RUNNING],
  ])("a refusal with reason %s leaves the operator in state %s", async (reason, state) => {
    const { operator } = await admin.removePeer({ regionId: 1n, storeId: 2n });
    const order = await actor.leader.nextOrder();
    actor.leader.refuse(order.commandId, reason, "peer 7 is 9 entries behind");
    actor.leader.received.length = 0;
    actor.leader.keepalive([actor.leader.leaderReport(actor.region)]);
    if (state === OperatorState.CANCELLED) {
      const cancelled = await ended(operator?.id);
      expect(cancelled).toMatchObject({ state, endReason: "refused" });
      expect(cancelled.endMessage).toContain("peer 7 is 9 entries behind");
    } else {
      pd.clock.advance(pdLimits.commandRepeatAfterMs + pdLimits.operatorTickMs);
      expect((await actor.leader.nextOrder()).commandId).toBe(order.commandId);
      expect((await admin.getOperator({ operatorId: operator?.id ?? 0n })).operator?.state).toBe(state);
    }
  });

  test("what was under way when PD was restarted is recorded as cancelled, and what ended stays", async () => {
    const transfer = await admin.transferRegionLeader({ regionId: 1n, toStoreId: 3n });
    await actor.act();
    await ended(transfer.operator?.id);
    const { operator } = await admin.removePeer({ regionId: 1n, storeId: 2n });
    await actor.leader.nextOrder();
    // The record of the begin may stand behind that of the end before it.
    await pd.client().allocateIds({ count: pdLimits.allocateMaxCount });
    await pd.client().allocateIds({ count: pdLimits.allocateMaxCount });
    await pd.restart();
    admin = pd.adminClient();
    expect((await admin.listOperators({})).operators).toEqual([]);
    const { operators } = await admin.listOperatorHistory({});
    expect(operators).toMatchObject([
      { id: operator?.id, state: OperatorState.CANCELLED, endReason: "pd-restarted" },
      { id: transfer.operator?.id, state: OperatorState.DONE },
    ]);
  });

  test("a person ends an operator", async () => {
    const { operator } = await admin.removePeer({ regionId: 1n, storeId: 2n });
    const operatorId = operator?.id ?? 0n;
    expect((await admin.cancelOperator({ operatorId })).operator).toMatchObject({
      state: OperatorState.CANCELLED,
      endReason: "by-admin",
    });
    const again = await refusal(admin.cancelOperator({ operatorId }));
    expect([again.code, again.message]).toEqual([
      "RDB_INVALID_ARGUMENT",
      `operator ${operatorId} has ended already: Cancelled`,
    ]);
  });
});

describe("SPEC-M7: what cannot be done is refused at once", () => {
  test.each([
    ["an unknown Region", { regionId: 99n, fromStoreId: 2n, toStoreId: 4n }, "RDB_NOT_FOUND", "region 99"],
    ["an unknown Store", { regionId: 1n, fromStoreId: 2n, toStoreId: 9n }, "RDB_NOT_FOUND", "store 9"],
    [
      "no peer there",
      { regionId: 1n, fromStoreId: 4n, toStoreId: 4n },
      "RDB_NOT_FOUND",
      "no peer on store 4",
    ],
    [
      "a peer there",
      { regionId: 1n, fromStoreId: 2n, toStoreId: 3n },
      "RDB_ALREADY_EXISTS",
      "on store 3 already",
    ],
    ["no Region", { fromStoreId: 2n, toStoreId: 4n }, "RDB_INVALID_ARGUMENT", "region_id must be >= 1"],
  ])("%s", async (_, request, code, message) => {
    const error = await refusal(admin.movePeer(request));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  test("a Region that somebody else is at: the answer names the operator", async () => {
    const { operator } = await admin.addPeer({ regionId: 1n, storeId: 4n });
    const error = await refusal(admin.removePeer({ regionId: 1n, storeId: 2n }));
    expect(error.code).toBe("RDB_SERVER_IS_BUSY");
    expect(error.message).toContain(`operator ${operator?.id} (add-peer by admin)`);
  });

  test("a removal, a move or an addition that would cost the quorum", async () => {
    const [one, , , four] = stores;
    pd.clock.advance(pdLimits.storeDisconnectedAfterMs + 1);
    for (const store of [one, four]) {
      store?.keepalive();
      await store?.heartbeat();
    }
    actor.report();
    await one?.heartbeat();
    const error = await refusal(admin.removePeer({ regionId: 1n, storeId: 2n }));
    expect(error.code).toBe("RDB_INVALID_ARGUMENT");
    expect(error.message).toContain("without a quorum: 1 of 2 voters would be live, 2 are needed");
    expect((await refusal(admin.addPeer({ regionId: 1n, storeId: 4n }))).message).toContain(
      "2 of 4 voters would be live, 3 are needed",
    );
    expect((await refusal(admin.transferRegionLeader({ regionId: 1n, toStoreId: 3n }))).message).toContain(
      "store 3 is disconnected",
    );
  });

  test("a leader that nobody knows", async () => {
    await pd.restart();
    admin = pd.adminClient();
    const error = await refusal(admin.addPeer({ regionId: other.id, storeId: 4n }));
    expect(error.message).toContain(`region ${other.id} has no leader that the placement driver knows of`);
  });
});
