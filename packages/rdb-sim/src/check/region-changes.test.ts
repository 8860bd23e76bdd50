import { type Peer, type Region, index, peerId, regionId, storeId, term } from "@flaredb/rdb-base";
import type { ConfState } from "@flaredb/rdb-raft";
import {
  type RegionPhase,
  WritePart,
  indexedKey,
  putApplyState,
  putMergeRecord,
  putRegionLocalState,
} from "@flaredb/rdb-storage";
import { encodeConfState, encodeTruncatedState, stateKey, stateKinds } from "@flaredb/rdb-storage/testing";
import { describe, expect, test } from "vitest";
import { REGION_ID, WatchedStore, bytes, region } from "../testing/watched-store.ts";
import { ClusterInvariants } from "./cluster-invariants.ts";
import type { Violation } from "./violation.ts";

const CHILD_ID = regionId(8);
const SPLIT = { confVer: 1, version: 2 };
/** What a removed peer's last Region has. */
const REMOVED = { epoch: { confVer: 2, version: 1 } };

function scene() {
  const violations: Violation[] = [];
  const invariants = new ClusterInvariants((violation) => violations.push(violation));
  const [one, two, three] = [1, 2, 3].map((place) => new WatchedStore(invariants, place)) as [
    WatchedStore,
    WatchedStore,
    WatchedStore,
  ];
  const stores = [one, two, three];
  for (const store of stores) {
    store.log(6, [
      [6, "put"],
      [6, "admin"],
      [6, "more"],
    ]);
  }
  stores.forEach((store) => store.apply(6, { a: "1", z: "2" }, { revision: 2 }));
  return {
    invariants,
    stores,
    one,
    two,
    three,
    wrong: () => [...new Set(violations.map(({ name }) => name))],
  };
}

function child(changed: Partial<Region> = {}): Region {
  const peers = [1, 2, 3].map((id): Peer => ({ id: peerId(20 + id), storeId: storeId(id), role: "Voter" }));
  return { ...region(), id: CHILD_ID, startKey: bytes("m"), epoch: SPLIT, peers, ...changed };
}

/** What a split at "m" writes, changed as a test wants. */
function split(
  store: WatchedStore,
  changed: {
    readonly parent?: Partial<Region>;
    readonly child?: Partial<Region>;
    readonly revision?: number;
  } = {},
): void {
  const part = new WritePart();
  const state = { index: index(7), term: term(6), revision: 2, logTimeMs: 7 };
  putRegionLocalState(part, { state: "Normal", region: child(changed.child) });
  putApplyState(part, CHILD_ID, { ...state, term: term(5), revision: changed.revision ?? 2 });
  const truncated = encodeTruncatedState({ index: index(7), term: term(5) });
  part.put("raft_state", stateKey(CHILD_ID, stateKinds.truncated), truncated);
  putRegionLocalState(part, {
    state: "Normal",
    region: region({ endKey: bytes("m"), epoch: SPLIT, ...changed.parent }),
  });
  putApplyState(part, REGION_ID, state);
  store.submit(part);
}

describe("splits", () => {
  test("both halves tile what there was, and histories learn where the new one came from", () => {
    const { stores, invariants, wrong } = scene();
    stores.forEach((store) => split(store));
    stores[0]?.restart();
    expect(wrong()).toEqual([]);
    expect(invariants.lineage.descents).toEqual([
      { regionId: 8, parentId: 7, revision: 2, order: 0, from: "m", to: "" },
    ]);
  });

  test("the version rises", () => {
    const { one, wrong } = scene();
    const epoch = { confVer: 1, version: 1 };
    split(one, { parent: { epoch }, child: { epoch } });
    expect(wrong()).toContain("epochs rise with each change");
  });

  test("the new Region begins at its parent's revision, on its parent's Stores", () => {
    const revision = scene();
    split(revision.one, { revision: 0 });
    expect(revision.wrong()).toEqual(["a new Region goes on from its parent"]);
    const peers = scene();
    split(peers.one, { child: { peers: child().peers.slice(0, 2) } });
    expect(peers.wrong()).toEqual(["a new Region goes on from its parent"]);
  });

  test("the new Region remembers what its parent does", () => {
    const { one, wrong } = scene();
    const part = new WritePart();
    part.put("session", indexedKey(REGION_ID, index(6)), bytes("a write"));
    one.submit(part);
    split(one);
    expect(wrong()).toContain("a new Region goes on from its parent");
  });

  test("a Region goes on from the one that it takes", () => {
    const take = (state: { readonly revision: number; readonly logTimeMs: number }): string[] => {
      const { one, wrong } = scene();
      split(one);
      const part = new WritePart();
      putRegionLocalState(part, { state: "Tombstone", region: child() });
      putRegionLocalState(part, { state: "Normal", region: region({ epoch: { confVer: 1, version: 3 } }) });
      putApplyState(part, REGION_ID, { index: index(8), term: term(6), ...state });
      one.submit(part);
      return wrong();
    };
    expect(take({ revision: 2, logTimeMs: 8 })).toEqual([]);
    expect(take({ revision: 1, logTimeMs: 8 })).toContain("a Region goes on from those it takes");
    expect(take({ revision: 2, logTimeMs: 6 })).toContain("a Region goes on from those it takes");
  });

  test("the version rises when a merge begins", () => {
    const begin = (version: number): string[] => {
      const { one, wrong } = scene();
      const prepared = region({ epoch: { confVer: 1, version } });
      const part = new WritePart();
      putRegionLocalState(part, { state: "Normal", region: prepared });
      const merge = { minMatchedIndex: index(6), prepareIndex: index(7) };
      putMergeRecord(part, REGION_ID, { kind: "Prepared", target: child(), ...merge });
      one.submit(part);
      return wrong();
    };
    expect(begin(1)).toEqual(["epochs rise with each change"]);
    expect(begin(2)).toEqual([]);
  });

  test("no key is in both, on a Store or among the newest Regions", () => {
    const { one, wrong } = scene();
    split(one, { child: { startKey: bytes("k") } });
    expect(wrong()).toEqual(["Regions tile the key space"]);
  });

  test("a second split at the same entry elsewhere is another Region", () => {
    const { one, two, wrong } = scene();
    split(one);
    split(two, { child: { startKey: bytes("n") }, parent: { endKey: bytes("n") } });
    expect(wrong()).toContain("a Region is split off once");
  });

  test("a child that differs on two Stores is told by its rows", () => {
    const { one, two, wrong } = scene();
    split(one);
    two.corrupt("z", "other");
    two.restart();
    expect(wrong()).toEqual(["same applied index, same state"]);
  });
});

function confState(voters: readonly number[], changed: Partial<ConfState> = {}): ConfState {
  return {
    voters: voters.map((id) => peerId(id)),
    ...{ learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false },
    ...changed,
  };
}

/** Applies a change of the peers at 7. */
function change(store: WatchedStore, state: ConfState, peers: readonly Peer[], at = 7): void {
  const part = new WritePart();
  putRegionLocalState(part, {
    state: "Normal",
    region: region({ epoch: { confVer: at - 5, version: 1 }, peers }),
  });
  part.put("raft_state", stateKey(REGION_ID, stateKinds.confState), encodeConfState(state));
  putApplyState(part, REGION_ID, { index: index(at), term: term(6), revision: 2, logTimeMs: 7 });
  store.submit(part);
}

const peerAt = (id: number, role: Peer["role"] = "Voter"): Peer => ({
  id: peerId(10 + id),
  storeId: storeId(id),
  role,
});
const three = [peerAt(1), peerAt(2), peerAt(3)];

describe("changes of peers", () => {
  test("a learner, then a vote for it once it has what is committed", () => {
    const { invariants, one, wrong } = scene();
    const four = new WatchedStore(invariants, 4, "empty");
    change(one, confState([11, 12, 13], { learners: [peerId(14)] }), [...three, peerAt(4, "Learner")]);
    four.takeSnapshot(
      region({ epoch: { confVer: 2, version: 1 }, peers: [...three, peerAt(4, "Learner")] }),
      6,
    );
    change(one, confState([11, 12, 13, 14]), [...three, peerAt(4)], 8);
    expect(wrong().filter((name) => name !== "same applied index, same state")).toEqual([]);
  });

  test("nobody votes who has nothing", () => {
    const { one, wrong } = scene();
    change(one, confState([11, 12, 13, 14]), [...three, peerAt(4)]);
    expect(wrong()).toContain("who comes to vote is caught up");
  });

  test("two voters do not change at once, unless both majorities are needed meanwhile", () => {
    const { one, wrong } = scene();
    change(one, confState([11]), [peerAt(1)]);
    expect(wrong()).toContain("configurations follow each other");
    const joint = scene();
    const roles = [peerAt(1), peerAt(2, "DemotingVoter"), peerAt(3, "DemotingVoter")];
    const state = confState([11], {
      votersOutgoing: [11, 12, 13].map((id) => peerId(id)),
      learnersNext: [12, 13].map((id) => peerId(id)),
    });
    change(joint.one, state, roles);
    expect(joint.wrong()).toEqual([]);
  });

  test("the configuration is the Region's peers", () => {
    const { one, wrong } = scene();
    change(one, confState([11, 12]), three);
    expect(wrong()).toEqual(["the configuration is the Region's peers"]);
  });

  test("an entry makes one configuration, on every peer", () => {
    const { one, two, wrong } = scene();
    change(one, confState([11, 12]), [peerAt(1), peerAt(2)]);
    change(two, confState([11, 13]), [peerAt(1), peerAt(3)]);
    expect(wrong()).toContain("an index stands for one configuration");
  });

  test("no change leaves voters of which most are long gone", () => {
    const { invariants, one, wrong } = scene();
    invariants.wasUp = (store) => store !== "store-2";
    change(one, confState([11, 12]), [peerAt(1), peerAt(2)]);
    expect(wrong()).toEqual(["a change costs no quorum"]);
  });
});

test("a Region has no fewer voters than are wanted, unless somebody asked for that", () => {
  const asked = scene();
  change(asked.one, confState([11, 12]), [peerAt(1), peerAt(2)]);
  expect(asked.wrong()).toEqual([]);
  const { invariants, one, wrong } = scene();
  invariants.voterMinCount = 3;
  change(one, confState([11, 12]), [peerAt(1), peerAt(2)]);
  expect(wrong()).toEqual(["a Region keeps its replicas"]);
});

describe("peers", () => {
  const phase = (store: WatchedStore, state: RegionPhase, changed: Partial<Region> = {}): void =>
    store.regionState(state, changed);

  test("a removed peer never comes back; a later one of the Region may", () => {
    const { one, wrong } = scene();
    phase(one, "Destroying", REMOVED);
    phase(one, "Tombstone", REMOVED);
    phase(one, "Uninitialised", { peers: [{ ...peerAt(1), id: peerId(31) }] });
    expect(wrong()).toEqual([]);
    phase(one, "Destroying", { peers: [{ ...peerAt(1), id: peerId(31) }] });
    phase(one, "Uninitialised");
    expect(wrong()).toEqual(["a removed peer never comes back"]);
  });

  test("nor after the disk of its Store is gone", () => {
    const { one, wrong } = scene();
    one.loseAll();
    one.observer.wiped();
    one.restart();
    one.identify(1);
    phase(one, "Uninitialised");
    expect(wrong()).toEqual(["a removed peer never comes back"]);
  });

  test("a peer goes only when its Region has it no more, as somebody applied", () => {
    const early = scene();
    phase(early.one, "Destroying");
    expect(early.wrong()).toEqual(["a peer goes when its Region lets it"]);
    const late = scene();
    change(late.two, confState([12, 13]), [peerAt(2), peerAt(3)]);
    phase(late.one, "Destroying");
    expect(late.wrong()).toEqual([]);
  });

  test("an empty peer keeps what it voted when a split makes it whole", () => {
    const { one, wrong } = scene();
    const part = new WritePart();
    putRegionLocalState(part, {
      state: "Uninitialised",
      region: child({ peers: child().peers.slice(0, 1) }),
    });
    one.submit(part);
    one.hardState({ term: 6, vote: 22, commit: 0 }, true, CHILD_ID);
    split(one);
    one.hardState({ term: 6, vote: 23, commit: 7 }, true, CHILD_ID);
    expect(wrong()).toContain("one vote a term");
  });
});
