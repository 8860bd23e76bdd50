import { GiB, MINUTE_MS, MiB, type PeerRole, peerId } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { type StoreRow, TableView } from "../../testing/table-view.ts";
import type { Decision } from "../decision.ts";
import { checkers } from "../rules.ts";

/** What a decision comes to, in one line. */
function told(decision: Decision): string {
  if (!decision.acts) {
    return decision.summary;
  }
  const { kind, steps } = decision.plan;
  const named = steps.map((step) => {
    switch (step.kind) {
      case "transfer-leader":
        return `lead ${step.toStoreId}`;
      case "enter-joint":
        return `joint +${step.promote.map((each) => each.storeId).join(",")} -${step.demote.map((each) => each.storeId).join(",")}`;
      case "add-learner":
        return `add ${step.storeId}`;
      case "promote":
        return `promote ${step.storeId}`;
      case "remove-peer":
        return `remove ${step.storeId}`;
      case "merge":
        return `merge into ${step.target.id}`;
      default:
        return step.kind;
    }
  });
  return `${kind}: ${named.join(", ")}`;
}

function ask(name: string, view: TableView, ...region: Parameters<TableView["addRegion"]>): Decision {
  const checker = checkers().find((each) => each.name === name);
  const info = view.addRegion(...region);
  return checker?.check(info, view) ?? { acts: false, summary: `no checker ${name}`, ruledOut: [] };
}

function ruledOut({ ruledOut: out }: Decision): string[] {
  return out.map(({ storeId, filter }) => `${storeId} ${filter}`);
}

const up: StoreRow = {};
const four = [up, up, up, up];

describe("joint-state", () => {
  const joint: readonly (readonly [number, PeerRole])[] = [
    [1, "Voter"],
    [2, "Voter"],
    [3, "DemotingVoter"],
    [4, "IncomingVoter"],
  ];

  test("SPEC-C3: a joint configuration that was left behind is left", () => {
    expect(told(ask("joint-state", new TableView(four), 1, joint))).toBe("leave-joint: leave-joint");
  });

  test("nothing is done while no leader is known", () => {
    expect(told(ask("joint-state", new TableView(four), 1, joint, { leader: undefined }))).toBe(
      "no leader is known",
    );
  });

  test("what a leader said of an older epoch decides nothing", () => {
    expect(
      told(ask("joint-state", new TableView(four), 1, joint, { epoch: { confVer: 3, version: 2 } })),
    ).toBe("its leader has not reported since it changed");
  });
});

describe("learner", () => {
  const two: readonly (readonly [number, PeerRole])[] = [
    [1, "Voter"],
    [2, "Voter"],
    [3, "Learner"],
  ];

  test("one that has caught up votes where a voter is missing", () => {
    expect(told(ask("learner", new TableView(four), 1, two))).toBe("promote-learner: promote 3");
  });

  test("one that is behind is waited for", () => {
    const view = new TableView(four);
    expect(told(ask("learner", view, 1, two, { pendingPeerIds: [peerId(103)] }))).toBe(
      "learner 103 on store 3 is still behind",
    );
  });

  test("one that does not catch up for long makes way for another one", () => {
    const view = new TableView([up, up, { isFull: true }, up]);
    const checker = checkers().find(({ name }) => name === "learner");
    const info = view.addRegion(1, two, { pendingPeerIds: [peerId(103)] });
    expect(checker?.check(info, view)).toMatchObject({ acts: false });
    view.nowMs += 14 * MINUTE_MS;
    expect(checker?.check(info, view)).toMatchObject({ acts: false });
    view.nowMs += 1 * MINUTE_MS;
    const decision = checker?.check(info, view);
    expect(decision && told(decision)).toBe("remove-learner: remove 3");
    // Nobody else saw to it: the Region has as many peers as are wanted.
    expect(told(ask("replica", view, 1, two, { pendingPeerIds: [peerId(103)] }))).toBe(
      "it has its 3 peers, none lost, down or damaged",
    );
    expect(told(ask("replica", view, 1, [1, 2]))).toBe("add-peer: add 4, promote 4");
  });

  test("one that nobody needs is removed", () => {
    const peers = [1, 2, 4, [3, "Learner"] as const];
    expect(told(ask("learner", new TableView(four), 1, peers))).toBe("remove-learner: remove 3");
  });

  test("one whose Store is down is removed", () => {
    const view = new TableView([up, up, { condition: "Down" }, up]);
    expect(told(ask("learner", view, 1, two, { downPeerIds: [peerId(103)] }))).toBe(
      "remove-learner: remove 3",
    );
  });
});

describe("replica", () => {
  test("a whole Region is left alone", () => {
    expect(told(ask("replica", new TableView(four), 1, [1, 2, 3]))).toBe(
      "it has its 3 peers, none lost, down or damaged",
    );
  });

  test("SPEC-C1: a down Store's peer is replaced in one joint step, without fewer voters on the way", () => {
    const view = new TableView([up, { condition: "Down" }, up, up]);
    expect(told(ask("replica", view, 1, [1, 2, 3]))).toBe(
      "replace-down-peer: add 4, joint +4 -2, leave-joint, remove 2",
    );
  });

  test("a Store that is merely silent is waited for", () => {
    const view = new TableView([up, { condition: "Disconnected" }, up, up]);
    expect(ask("replica", view, 1, [1, 2, 3]).acts).toBe(false);
  });

  test("a draining leader's peer hands over before it goes", () => {
    const view = new TableView([{ isDraining: true }, { leaderCount: 5 }, up, up]);
    expect(told(ask("replica", view, 1, [1, 2, 3]))).toBe(
      "replace-draining-peer: add 4, lead 3, joint +4 -1, leave-joint, remove 1",
    );
  });

  test("a peer on a Store that is gone for good is replaced", () => {
    expect(told(ask("replica", new TableView(four), 1, [1, 2, 9]))).toBe(
      "replace-lost-peer: add 3, joint +3 -9, leave-joint, remove 9",
    );
  });

  test("a damaged peer is replaced before all others", () => {
    const view = new TableView([up, { isDraining: true }, up, up]);
    expect(told(ask("replica", view, 1, [1, 2, 3], { damagedPeerIds: [peerId(103)] }))).toBe(
      "replace-damaged-peer: add 4, joint +4 -3, leave-joint, remove 3",
    );
  });

  test("where no other Store is left, a damaged peer goes first, if the others are whole", () => {
    const view = new TableView([up, up, up]);
    const damaged = { damagedPeerIds: [peerId(103)] };
    expect(told(ask("replica", view, 1, [1, 2, 3], damaged))).toBe("remove-damaged-peer: remove 3");
    expect(ask("replica", view, 1, [1, 2, 3], { ...damaged, pendingPeerIds: [peerId(102)] }).acts).toBe(
      false,
    );
  });

  test("a missing peer is added on the least loaded Store", () => {
    const loaded = { regionCount: 9, regionSizeBytes: 9 * GiB };
    const view = new TableView([up, up, loaded, { regionCount: 3, regionSizeBytes: GiB }]);
    expect(told(ask("replica", view, 1, [1, 2]))).toBe("add-peer: add 4, promote 4");
  });

  test("of too many peers the ill one goes, else one on the fullest Store that does not lead", () => {
    const view = new TableView([{ regionCount: 90 }, { regionCount: 5 }, { regionCount: 7 }, up]);
    expect(told(ask("replica", view, 1, [1, 2, 3, 4]))).toBe("remove-surplus-peer: remove 3");
    expect(told(ask("replica", view, 1, [1, 2, 3, 4], { downPeerIds: [peerId(104)] }))).toBe(
      "remove-surplus-peer: remove 4",
    );
  });

  test("when no Store can take the place, each says why", () => {
    const view = new TableView([
      { condition: "Down" },
      up,
      up,
      { condition: "Disconnected" },
      { isDraining: true },
      { canAddPeer: false },
      { availableBytes: 5 * GiB },
      { isSlow: true },
      { isFull: true },
      { pendingPeerCount: 65 },
    ]);
    const decision = ask("replica", view, 1, [2, 3, 1]);
    expect(told(decision)).toBe(
      "peer 101 on store 1: the store is down for longer than maxStoreDownTime, but no store can take its place",
    );
    expect(ruledOut(decision)).toEqual([
      "1 has-peer",
      "2 has-peer",
      "3 has-peer",
      "4 disconnected",
      "5 draining",
      "6 limit",
      "7 low-space",
      "8 slow",
      "9 is-full",
      "10 pending-peers",
    ]);
  });
});

describe("location", () => {
  const at = (zone: string, host: string): StoreRow => ({ labels: { zone, host } });

  test("SPEC-M7: a peer moves from a shared zone to a zone without any", () => {
    const view = new TableView([at("a", "1"), at("a", "2"), at("b", "3"), at("c", "4")]);
    expect(told(ask("location", view, 1, [2, 1, 3]))).toBe(
      "separate-peers: add 4, lead 1, joint +4 -2, leave-joint, remove 2",
    );
  });

  test("hosts are kept apart where there are too few zones", () => {
    const view = new TableView([at("a", "1"), at("a", "1"), at("b", "2"), at("a", "3")]);
    expect(told(ask("location", view, 1, [3, 1, 2]))).toBe(
      "separate-peers: add 4, joint +4 -1, leave-joint, remove 1",
    );
  });

  test("two of three zones hold three peers as well as can be", () => {
    const view = new TableView([at("a", "1"), at("b", "2"), at("b", "3"), at("b", "4")]);
    expect(told(ask("location", view, 1, [1, 2, 3]))).toBe("its peers are as far apart as the stores allow");
  });

  test("it says which place the others share", () => {
    const full = { isFull: true };
    const view = new TableView([
      at("a", "1"),
      at("a", "2"),
      at("b", "3"),
      { ...at("c", "4"), ...full },
      at("a", "5"),
    ]);
    const decision = ask("location", view, 1, [1, 2, 3]);
    expect(decision.acts).toBe(false);
    expect(ruledOut(decision)).toEqual(expect.arrayContaining(["4 is-full", "5 same-zone"]));
  });

  test("without labels there is nothing to keep apart", () => {
    expect(ask("location", new TableView(four), 1, [1, 2, 3]).acts).toBe(false);
  });
});

describe("split", () => {
  test("a Region that its Store leaves far too big for minutes is split", () => {
    const view = new TableView(four);
    const checker = checkers().find(({ name }) => name === "split");
    const info = view.addRegion(1, [1, 2, 3], { approximateSizeBytes: 300 * MiB });
    expect(checker?.check(info, view)).toMatchObject({ acts: false });
    view.nowMs += 3 * MINUTE_MS;
    const decision = checker?.check(info, view);
    expect(decision?.acts === true && decision.plan.steps).toEqual([
      { kind: "split", keys: [], partCount: 2 },
    ]);
  });
});

describe("merge", () => {
  const small = { approximateSizeBytes: MiB };

  function mergeable(config: object = {}): { view: TableView; decide: (waitMs: number) => Decision } {
    const view = new TableView(four, { mergeEnabled: true, splitMergeIntervalMs: MINUTE_MS, ...config });
    const checker = checkers().find(({ name }) => name === "merge");
    const info = view.addRegion(1, [1, 2, 3], { ...small, range: "a-m" });
    view.addRegion(2, [1, 2, 4], { ...small, range: "m-t" });
    checker?.check(info, view);
    return {
      view,
      decide: (waitMs) => {
        view.nowMs += waitMs;
        return checker?.check(info, view) ?? { acts: false, summary: "no checker", ruledOut: [] };
      },
    };
  }

  test("is off by default", () => {
    expect(told(ask("merge", new TableView(four), 1, [1, 2, 3], small))).toBe("mergeEnabled is off");
  });

  test("two small neighbours become one, after the peers of the first went where the second's are", () => {
    expect(told(mergeable().decide(MINUTE_MS))).toBe(
      "merge: add 4, joint +4 -3, leave-joint, remove 3, merge into 2",
    );
  });

  test("not before the range is known for a while, and not into one that has an operator", () => {
    const { view, decide } = mergeable();
    expect(told(decide(1_000))).toBe("its range is known for 1000 ms, splitMergeIntervalMs is 60000");
    view.busy.add(view.addRegion(2, [1, 2, 4], { ...small, range: "m-t" }).region.id);
    expect(told(decide(MINUTE_MS))).toBe("no neighbour can take it: region 2: it has an operator");
  });
});
