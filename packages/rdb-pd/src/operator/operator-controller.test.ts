import { GiB, MiB, type Region, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { beforeEach, describe, expect, test } from "vitest";
import { pdLimits } from "../limits.ts";
import { placementSchema } from "../placement/placement-config.ts";
import {
  OperatorScene,
  addLearner,
  promote,
  removePeer,
  transfer,
  withPeer,
  withoutPeer,
} from "../testing/operator-scene.ts";
import { key, region } from "../testing/regions.ts";
import { NO_INFLUENCE } from "./influence.ts";

let scene: OperatorScene;

beforeEach(() => {
  scene = new OperatorScene();
  scene.report({ id: 1, range: "-m" });
  scene.report({ id: 2, range: "m-" });
});

const commands = () => scene.sent.map(({ to, message }) => `${to} ${message.command.case}`);

describe("SPEC-M7: one operator for each Region", () => {
  test("a second one is refused, naming the first", () => {
    scene.add(1, [transfer(1, 2)]);
    const second = scene.add(1, [transfer(1, 3)]);
    expect(second).toMatchObject({ ok: false, refusal: { reason: "busy" } });
    expect(second.ok ? "" : second.refusal.message).toContain("operator 1 (test by tester)");
    expect(scene.add(2, [transfer(1, 3)]).ok).toBe(true);
  });

  test("what is urgent takes the place of what is not, with a reason", () => {
    scene.add(1, [transfer(1, 2)]);
    expect(scene.add(1, [transfer(1, 3)], { priority: "Urgent", origin: "admin" }).ok).toBe(true);
    expect(scene.controller.find(1)).toMatchObject({ state: "Cancelled", endReason: "replaced" });
    expect(scene.last.state).toBe("Running");
    expect(scene.add(1, [transfer(1, 2)], { priority: "Urgent", origin: "admin" }).ok).toBe(false);
    expect(scene.add(2, [transfer(1, 2)]).ok && scene.add(2, [transfer(1, 3)], { priority: "High" }).ok).toBe(
      false,
    );
  });

  test("nothing takes the place of one that left its Region between two sets of peers", () => {
    scene.add(1, [transfer(1, 2)]);
    const { peers, ...rest } = region({ id: 1, range: "-m" });
    scene.reportRegion({ ...rest, peers: peers.map((peer) => ({ ...peer, role: "IncomingVoter" })) });
    expect(scene.add(1, [transfer(1, 3)], { priority: "Urgent", origin: "admin" })).toMatchObject({
      refusal: { reason: "busy" },
    });
  });

  describe("a repair", () => {
    const repair = { priority: "High", origin: "replica", repairs: true } as const;
    const merge = () => {
      const [source, target] = [1, 2].map((id) => scene.regions.get(regionId(id))?.region);
      return { kind: "merge", source: source as Region, target: target as Region } as const;
    };

    test("takes the place of what only betters the balance, whatever step that is in", () => {
      scene.add(1, [addLearner(4), promote(4)]);
      scene.reportRegion(withPeer(region({ id: 1, range: "-m" }), 4, "Learner"), 1, {
        pendingPeerIds: [peerId(904)],
      });
      expect(scene.last.currentStep).toBe(1);
      expect(scene.add(1, [removePeer(4, 904)], repair).ok).toBe(true);
      expect(scene.controller.find(1)).toMatchObject({ state: "Cancelled", endReason: "replaced" });
    });

    test("takes the place of a person's merge that no Store has begun, of either Region", () => {
      for (const id of [1, 2]) {
        scene = new OperatorScene();
        scene.report({ id: 1, range: "-m" });
        scene.report({ id: 2, range: "m-" });
        scene.add(1, [merge()], { priority: "Urgent", origin: "admin" });
        expect(scene.controller.yieldsToRepair(regionId(id))).toBe(true);
        expect(scene.add(id, [addLearner(4)], repair).ok).toBe(true);
        expect(scene.controller.find(1)).toMatchObject({ state: "Cancelled", endReason: "replaced" });
      }
    });

    test("waits while the Store has begun the merge: its end is decided there", () => {
      scene.add(1, [merge()], { priority: "Urgent", origin: "admin" });
      scene.report({ id: 1, range: "-m", version: 2 }, 1, { isMerging: true });
      expect(scene.controller.yieldsToRepair(regionId(2))).toBe(false);
      expect(scene.add(2, [addLearner(4)], repair)).toMatchObject({ refusal: { reason: "busy" } });
    });

    test("leaves alone another repair, and what else people want", () => {
      scene.add(1, [addLearner(4)], repair);
      expect(scene.add(1, [addLearner(5)], repair)).toMatchObject({ refusal: { reason: "busy" } });
      scene.add(2, [addLearner(4)], { priority: "Urgent", origin: "admin" });
      expect(scene.add(2, [addLearner(5)], repair)).toMatchObject({ refusal: { reason: "busy" } });
      expect(scene.controller.yieldsToRepair(regionId(2))).toBe(false);
      expect(scene.controller.yieldsToRepair(regionId(9))).toBe(false);
    });
  });

  test("a plan for another epoch, or for a Region that is no more, is refused", () => {
    const plan = scene.plan(1, [transfer(1, 2)]);
    scene.report({ id: 1, range: "-m", confVer: 2 });
    expect(scene.controller.add(plan, scene.now)).toMatchObject({ refusal: { reason: "epoch-changed" } });
    scene.gone(1);
    expect(scene.controller.add(plan, scene.now)).toMatchObject({ refusal: { reason: "region-gone" } });
    expect(scene.recorded).toEqual([]);
  });
});

describe("steps are judged by the Region's reports alone", () => {
  test("a command is sent once for each repeat, and the next step when a report shows the one before", () => {
    scene.add(1, [addLearner(4), promote(4)]);
    expect(commands()).toEqual(["1 changePeers"]);
    scene.pass(pdLimits.commandRepeatAfterMs - 1);
    expect(commands()).toHaveLength(1);
    scene.pass(1_000);
    expect(commands()).toHaveLength(2);
    const learning = withPeer(region({ id: 1, range: "-m" }), 4, "Learner");
    scene.reportRegion(learning, 1, { pendingPeerIds: [peerId(904)] });
    expect([scene.last.currentStep, commands().length]).toEqual([1, 2]);
    scene.reportRegion(learning);
    expect(commands()).toHaveLength(3);
    scene.reportRegion(withPeer(learning, 4, "Voter"));
    expect(scene.last).toMatchObject({ state: "Done", currentStep: 2, endReason: "" });
    expect(scene.recorded.map(({ state }) => state)).toEqual(["Waiting", "Done"]);
  });

  test("another leader is told at once, and nobody while none is known", () => {
    scene.add(1, [removePeer(3, 103)]);
    scene.report({ id: 1, range: "-m" }, 2, { term: 7 });
    expect(commands()).toEqual(["1 changePeers", "2 changePeers"]);
    scene.report({ id: 1, range: "-m" }, 0);
    scene.pass(5_000);
    expect(commands()).toHaveLength(2);
  });

  test("who has to go and was elected meanwhile hands the leadership over first", () => {
    scene.add(1, [removePeer(3, 103)]);
    scene.report({ id: 1, range: "-m" }, 3, { downPeerIds: [peerId(101)] });
    const { message } = scene.sent.at(-1) ?? {};
    expect(message?.command).toMatchObject({ case: "transferLeader", value: { toPeerId: 102n } });
    scene.report({ id: 1, range: "-m" }, 2);
    expect(commands().at(-1)).toBe("2 changePeers");
  });

  test("nothing is judged by what a leader said of other peers than there are now", () => {
    scene.add(1, [addLearner(4), promote(4)]);
    const learning = withPeer(region({ id: 1, range: "-m" }), 4, "Learner");
    scene.reportRegion(learning, 1, { epoch: { confVer: 1, version: 1 } });
    expect(scene.last.currentStep).toBe(0);
    scene.reportRegion(learning);
    expect(scene.last.currentStep).toBe(1);
  });

  test("SPEC-S1: a split is done when no key is left inside; another cut does not do", () => {
    const steps = [{ kind: "split", keys: [key("c"), key("f")], partCount: 3 }] as const;
    scene.add(1, steps);
    scene.report({ id: 1, range: "-c", version: 3 });
    expect(scene.last.state).toBe("Done");
    scene.add(2, [{ kind: "split", keys: [key("p")], partCount: 2 }]);
    scene.report({ id: 2, range: "m-x", version: 2 });
    expect(scene.last).toMatchObject({ state: "Cancelled", endReason: "epoch-changed" });
  });

  test("a merge has both Regions, and is done when the target holds the source's range", () => {
    const [source, target] = [region({ id: 1, range: "-m" }), region({ id: 2, range: "m-" })];
    scene.add(1, [{ kind: "merge", source, target }]);
    expect(commands()).toEqual(["1 mergeRegion"]);
    expect(scene.add(2, [transfer(1, 2)])).toMatchObject({ refusal: { reason: "busy" } });
    scene.report({ id: 1, range: "-m", version: 2, confVer: 2 }, 1, { isMerging: true });
    expect(scene.last.state).toBe("Running");
    scene.report({ id: 2, range: "-", version: 3 });
    scene.gone(1);
    expect(scene.last.state).toBe("Done");
    expect(scene.controller.hasOperator(regionId(2))).toBe(false);
  });

  test("a merge that was rolled back is over", () => {
    const [source, target] = [region({ id: 1, range: "-m" }), region({ id: 2, range: "m-" })];
    scene.add(1, [{ kind: "merge", source, target }]);
    scene.report({ id: 1, range: "-m", version: 2, confVer: 2 }, 1, { isMerging: true });
    scene.report({ id: 1, range: "-m", version: 3, confVer: 2 });
    expect(scene.last).toMatchObject({ state: "Cancelled", endReason: "epoch-changed" });
  });
});

describe("operators end", () => {
  test("when others changed the Region's peers: beyond its own steps", () => {
    scene.add(1, [addLearner(4), promote(4)]);
    const learning = withPeer(region({ id: 1, range: "-m" }), 4, "Learner");
    scene.reportRegion(learning, 1, { pendingPeerIds: [peerId(904)] });
    expect(scene.last.state).toBe("Running");
    scene.reportRegion(withoutPeer(learning, 3), 1, { pendingPeerIds: [peerId(904)] });
    expect(scene.last).toMatchObject({
      state: "Cancelled",
      endReason: "epoch-changed",
      endMessage: "conf_ver rose from 1 to 3, by its own steps only 1",
    });
  });

  test("not when the Region's range changed: a split beside a move harms nobody", () => {
    scene.add(1, [removePeer(3, 103)]);
    scene.report({ id: 1, range: "-f", version: 2 });
    expect(scene.last.state).toBe("Running");
    scene.report({ id: 1, range: "-f", version: 2, confVer: 2, stores: [1, 2] });
    expect(scene.last.state).toBe("Done");
  });

  test.each([
    ["Down", "store-down"],
    ["Tombstone", "store-gone"],
  ] as const)("when the Store of a new peer is %s", (condition, endReason) => {
    scene.add(1, [addLearner(4), promote(4)]);
    scene.conditions.set(storeId(4), condition);
    scene.pass(1_000);
    expect(scene.last).toMatchObject({ state: "Cancelled", endReason });
  });

  test("not yet when a Store that is to lead is not up: its leader is told once it is", () => {
    scene.conditions.set(storeId(2), "Disconnected");
    scene.add(1, [transfer(1, 2)]);
    scene.pass(5_000);
    expect([scene.last.state, scene.sent]).toEqual(["Running", []]);
    scene.conditions.set(storeId(2), "Up");
    scene.pass(1_000);
    expect(scene.sent.map(({ message }) => message.command.case)).toEqual(["transferLeader"]);
  });

  test("when the Region is no more", () => {
    scene.add(1, [removePeer(3, 103)]);
    scene.gone(1);
    expect(scene.last).toMatchObject({ state: "Cancelled", endReason: "region-gone" });
  });

  test("when a step takes too long; what waits for data has time by its size", () => {
    scene.add(1, [transfer(1, 2)]);
    scene.pass(pdLimits.fastStepTimeoutMs);
    expect(scene.last.state).toBe("Running");
    scene.pass(1_000);
    expect(scene.last).toMatchObject({ state: "TimedOut", endReason: "timed-out" });
    expect(scene.last.endMessage).toContain("transfer-leader took 61000 ms, the limit is 60000 ms");

    const before = scene.report({ id: 2, range: "m-" }, 1, { approximateSizeBytes: 96 * MiB });
    scene.add(2, [addLearner(4), promote(4)]);
    const learning = withPeer(before.region, 4, "Learner");
    const pending = { pendingPeerIds: [peerId(904)], approximateSizeBytes: 96 * MiB };
    scene.reportRegion(learning, 1, pending);
    const limitMs = pdLimits.slowStepTimeoutMs + (96 * MiB * 1_000) / pdLimits.catchUpMinBytesPerSecond;
    scene.pass(limitMs - 1_000);
    expect(scene.last.state).toBe("Running");
    scene.pass(2_000);
    expect(scene.last).toMatchObject({ state: "TimedOut" });
    expect(scene.last.endMessage).toContain("peer 904 on store 4 is still behind");
  });

  test("when nobody leads the Region for as long", () => {
    scene.add(1, [transfer(1, 2)]);
    scene.report({ id: 1, range: "-m" }, 0);
    scene.pass(pdLimits.fastStepTimeoutMs + 1_000);
    expect(scene.last).toMatchObject({ state: "TimedOut", endReason: "leader-lost" });
  });

  test("a refusal counts for the step that it answers, and no other", () => {
    scene.add(1, [addLearner(4), promote(4)]);
    const first = Number(scene.sent[0]?.message.commandId);
    scene.reportRegion(withPeer(region({ id: 1, range: "-m" }), 4, "Learner"));
    scene.controller.refused({ commandId: first, reason: "Invalid", message: "late" }, scene.now);
    expect(scene.last.state).toBe("Running");
    scene.controller.refused({ commandId: first + 1, reason: "Invalid", message: "no" }, scene.now);
    expect(scene.last).toMatchObject({ endReason: "refused", endMessage: "Invalid: no" });
  });

  test.each(["NotLeader", "EpochNotMatch", "Busy", "PeerBehind", "IsLeader"] as const)(
    "what may pass is asked again: %s",
    (reason) => {
      scene.add(1, [removePeer(3, 103)]);
      const commandId = Number(scene.sent[0]?.message.commandId);
      scene.controller.refused({ commandId, reason, message: "not now" }, scene.now);
      expect(scene.last.state).toBe("Running");
      scene.pass(pdLimits.commandRepeatAfterMs + 1_000);
      expect(commands()).toEqual(["1 changePeers", "1 changePeers"]);
      scene.reportRegion(withoutPeer(region({ id: 1, range: "-m" }), 3));
      expect(scene.last.state).toBe("Done");
    },
  );

  test.each(["QuorumAtRisk", "Invalid"] as const)("what is final ends it at once: %s", (reason) => {
    scene.add(1, [removePeer(3, 103)]);
    const commandId = Number(scene.sent[0]?.message.commandId);
    scene.controller.refused({ commandId, reason, message: "never" }, scene.now);
    expect(scene.last).toMatchObject({ state: "Cancelled", endMessage: `${reason}: never` });
  });

  test("a peer that is behind is waited for, and named when the time is up", () => {
    scene.add(1, [transfer(1, 2)]);
    const commandId = Number(scene.sent[0]?.message.commandId);
    scene.controller.refused({ commandId, reason: "PeerBehind", message: "102 lags by 9" }, scene.now);
    scene.pass(pdLimits.fastStepTimeoutMs + 1_000);
    expect(scene.last.endMessage).toContain("102 lags by 9");
  });

  test("what ended is remembered, the latest first and not without end", () => {
    for (let count = 0; count < pdLimits.operatorHistoryMaxCount + 5; count++) {
      scene.add(1, [transfer(1, 2)]);
      scene.controller.cancel(scene.last.id, "by-admin", "enough", scene.now);
    }
    const kept = scene.controller.history.latest(10_000);
    expect(kept).toHaveLength(pdLimits.operatorHistoryMaxCount);
    expect(kept[0]?.id).toBe(pdLimits.operatorHistoryMaxCount + 5);
    expect(scene.controller.find(1)).toBeUndefined();
    expect(scene.controller.history.latest(10, 2)).toEqual([]);
  });
});

describe("limits and influence", () => {
  beforeEach(() => {
    scene.config = { ...placementSchema.parse({}), storeAddLimit: 1, storeRemoveLimit: 1 };
    scene.report({ id: 3, range: "x-" });
  });

  const state = (id: number) => scene.controller.find(id)?.state;

  test("a Store takes in so many peers at a time; the highest go first, then the oldest", () => {
    scene.add(1, [addLearner(4), promote(4)]);
    scene.add(2, [addLearner(4), promote(4)], { priority: "Low" });
    scene.add(3, [addLearner(4), promote(4)], { priority: "High" });
    expect([state(1), state(2), state(3)]).toEqual(["Running", "Waiting", "Waiting"]);
    const learning = withPeer(region({ id: 1, range: "-m" }), 4, "Learner");
    scene.reportRegion(learning, 1, { pendingPeerIds: [peerId(904)] });
    scene.pass(1_000);
    // The learner stands in the Region, but its data is still coming.
    expect(state(3)).toBe("Waiting");
    scene.reportRegion(withPeer(learning, 4, "Voter"));
    scene.pass(1_000);
    expect([state(1), state(2), state(3)]).toEqual(["Done", "Waiting", "Running"]);
  });

  test("a Store gives so many away, but one that is down as many as others take from it", () => {
    scene.add(1, [removePeer(3, 103)]);
    scene.add(2, [removePeer(3, 203)]);
    expect([state(1), state(2)]).toEqual(["Running", "Waiting"]);
    // It may be back the next moment, and serve all the while.
    scene.conditions.set(storeId(3), "Disconnected");
    scene.pass(1_000);
    expect(state(2)).toBe("Waiting");
    scene.conditions.set(storeId(3), "Down");
    scene.pass(1_000);
    expect(state(2)).toBe("Running");
  });

  test("limits of a Store of its own count there alone, for what it takes in and what it gives", () => {
    const own = new Map([
      [storeId(4), { addLimit: 2 }],
      [storeId(3), { removeLimit: 2 }],
    ]);
    scene.config = { ...scene.config, ownStoreLimits: own };
    scene.add(1, [addLearner(4), promote(4)]);
    scene.add(2, [addLearner(4), promote(4)]);
    scene.add(3, [addLearner(4), promote(4)]);
    expect([state(1), state(2), state(3)]).toEqual(["Running", "Running", "Waiting"]);
    for (const id of [1, 2, 3]) {
      scene.controller.cancel(id, "by-admin", "enough", scene.now);
    }
    scene.add(1, [removePeer(3, 103)]);
    scene.add(2, [removePeer(3, 203)]);
    scene.add(3, [removePeer(3, 303)]);
    expect([state(4), state(5), state(6)]).toEqual(["Running", "Running", "Waiting"]);
  });

  test("one that finds no place is given up in the end", () => {
    const size = { approximateSizeBytes: 4 * GiB };
    const before = scene.report({ id: 1, range: "-m" }, 1, size);
    scene.add(1, [addLearner(4), promote(4)]);
    const pending = { ...size, pendingPeerIds: [peerId(904)] };
    scene.reportRegion(withPeer(before.region, 4, "Learner"), 1, pending);
    scene.add(2, [addLearner(4), promote(4)]);
    scene.pass(pdLimits.waitingMaxMs);
    expect([state(1), state(2)]).toEqual(["Running", "Waiting"]);
    scene.pass(1_000);
    expect(scene.controller.find(2)).toMatchObject({ state: "TimedOut", endReason: "timed-out" });
  });

  test("each Store counts what will be, step by step, and nothing once all is over", () => {
    scene.report({ id: 1, range: "-m" }, 1, { approximateSizeBytes: 100 });
    const steps = [addLearner(4), transfer(1, 2), promote(4), removePeer(1, 101)];
    scene.add(1, steps);
    const of = (id: number) => scene.controller.influence(storeId(id));
    expect(of(4)).toMatchObject({ regionCount: 1, sizeBytes: 100, addingCount: 1 });
    expect(of(1)).toMatchObject({ regionCount: -1, leaderCount: -1, sizeBytes: -100, removingCount: 1 });
    expect(of(2)).toMatchObject({ leaderCount: 1, regionCount: 0 });
    const learning = withPeer(region({ id: 1, range: "-m" }), 4, "Learner");
    scene.reportRegion(learning);
    expect(of(4)).toMatchObject({ regionCount: 0, sizeBytes: 0, addingCount: 1 });
    scene.reportRegion(learning, 2);
    expect(of(2)).toEqual(NO_INFLUENCE);
    scene.controller.cancel(scene.last.id, "by-admin", "enough", scene.now);
    for (const id of [1, 2, 3, 4]) {
      expect(of(id)).toEqual(NO_INFLUENCE);
    }
    expect(scene.controller.countOf("tester")).toBe(0);
  });
});
