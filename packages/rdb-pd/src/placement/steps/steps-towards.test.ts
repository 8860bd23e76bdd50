import { type Peer, type Region, type StoreId, peerId, regionId, storeId } from "@flaredb/rdb-base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { NO_LOAD } from "../../cluster/region-info.ts";
import type { LedRegion } from "../filter/region-health.ts";
import type { OperatorStep } from "../operator-plan.ts";
import { type WantedPeers, stepsTowards } from "./steps-towards.ts";

const STORES = 9;

interface Scene {
  readonly led: LedRegion;
  readonly down: ReadonlySet<StoreId>;
  readonly wanted: WantedPeers;
}

function led(peers: readonly Peer[], leader: Peer): LedRegion {
  const region: Region = {
    id: regionId(1),
    startKey: new Uint8Array(),
    endKey: new Uint8Array(),
    epoch: { confVer: 3, version: 2 },
    peers,
  };
  const status = {
    ...{ leader, epoch: region.epoch, term: 6, approximateSizeBytes: 0, approximateKeyCount: 0 },
    ...{ downPeerIds: [], pendingPeerIds: [], damagedPeerIds: [], load: NO_LOAD },
    ...{ verifiedIndex: 0, isMerging: false, reportedMs: 0 },
  };
  return { region, status, leader };
}

function peer(store: number, role: Peer["role"] = "Voter"): Peer {
  return { id: peerId(100 + store), storeId: storeId(store), role };
}

function plan({ led: region, down, wanted }: Scene): ReturnType<typeof stepsTowards> {
  let nextId = 1_000;
  return stepsTowards(region, wanted, {
    newPeerId: () => peerId(nextId++),
    isUp: (id) => !down.has(id),
    pickHeir: (candidates) => candidates[0],
  });
}

/** A Region as a step leaves it. Throws where a leader would be removed or demoted. */
function after(
  step: OperatorStep,
  peers: readonly Peer[],
  leader: StoreId,
): { peers: Peer[]; leader: StoreId } {
  const replaced = (
    ids: readonly { peerId: Peer["id"] }[],
    role: Peer["role"],
    all: readonly Peer[],
  ): Peer[] => all.map((each) => (ids.some((id) => id.peerId === each.id) ? { ...each, role } : each));
  switch (step.kind) {
    case "add-learner":
      expect(peers.some((each) => each.storeId === step.storeId)).toBe(false);
      return { peers: [...peers, { id: step.peerId, storeId: step.storeId, role: "Learner" }], leader };
    case "promote":
      return { peers: replaced([step], "Voter", peers), leader };
    case "remove-peer":
      expect(step.storeId).not.toBe(leader);
      return { peers: peers.filter(({ id }) => id !== step.peerId), leader };
    case "enter-joint":
      expect(step.demote.some((each) => each.storeId === leader)).toBe(false);
      return {
        peers: replaced(step.demote, "DemotingVoter", replaced(step.promote, "IncomingVoter", peers)),
        leader,
      };
    case "leave-joint":
      return { peers: replaced(step.demote, "Learner", replaced(step.promote, "Voter", peers)), leader };
    case "transfer-leader":
      expect(step.fromStoreId).toBe(leader);
      expect(peers.find((each) => each.storeId === step.toStoreId)?.role).toMatch(/Voter/);
      return { peers: [...peers], leader: step.toStoreId };
    default:
      throw new Error(`${step.kind} is no step of this builder`);
  }
}

/** Both majorities, inside a joint configuration. */
function hasLiveQuorum(peers: readonly Peer[], down: ReadonlySet<StoreId>): boolean {
  const isQuorum = (roles: readonly Peer["role"][]): boolean => {
    const voters = peers.filter(({ role }) => roles.includes(role));
    return voters.filter((each) => !down.has(each.storeId)).length > voters.length / 2;
  };
  return isQuorum(["Voter", "IncomingVoter"]) && isQuorum(["Voter", "DemotingVoter"]);
}

const scenes: fc.Arbitrary<Scene> = fc
  .record({
    voters: fc.shuffledSubarray(range(STORES), { minLength: 1, maxLength: 5 }),
    learnerCount: fc.nat(2),
    wanted: fc.shuffledSubarray(range(STORES), { minLength: 1, maxLength: 5 }),
    down: fc.subarray(range(STORES), { maxLength: 4 }),
    leaderAt: fc.nat(4),
    finalLeaderAt: fc.option(fc.nat(4), { nil: undefined }),
  })
  .map(({ voters, learnerCount, wanted, down, leaderAt, finalLeaderAt }) => {
    const learners = range(STORES)
      .filter((id) => !voters.includes(id))
      .slice(0, learnerCount);
    const peers = [...voters.map((id) => peer(id)), ...learners.map((id) => peer(id, "Learner"))];
    const leader = peer(voters[leaderAt % voters.length] as number);
    const downIds = new Set(down.filter((id) => id !== leader.storeId).map((id) => storeId(id)));
    const storeIds = wanted.map((id) => storeId(id));
    const finalLeader = finalLeaderAt === undefined ? undefined : storeIds[finalLeaderAt % storeIds.length];
    const leaderStoreId =
      finalLeader !== undefined && !downIds.has(finalLeader) ? { leaderStoreId: finalLeader } : {};
    return { led: led(peers, leader), down: downIds, wanted: { storeIds, ...leaderStoreId } };
  })
  // Nobody leads without a quorum.
  .filter((scene) => hasLiveQuorum(scene.led.region.peers, scene.down));

function range(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1);
}

describe("steps towards wanted peers", () => {
  test("SPEC-C1: each prefix keeps a quorum of live voters, and the end is what was wanted", () => {
    fc.assert(
      fc.property(scenes, (scene) => {
        const result = plan(scene);
        fc.pre(result.ok);
        let state = { peers: [...scene.led.region.peers], leader: scene.led.leader.storeId };
        for (const step of result.ok ? result.steps : []) {
          state = after(step, state.peers, state.leader);
          expect(hasLiveQuorum(state.peers, scene.down)).toBe(true);
          expect(scene.down.has(state.leader)).toBe(false);
        }
        expect(state.peers.map((each) => each.storeId).sort((a, b) => a - b)).toEqual(
          [...scene.wanted.storeIds].sort((a, b) => a - b),
        );
        expect(state.peers.every(({ role }) => role === "Voter")).toBe(true);
        expect(state.leader).toBe(scene.wanted.leaderStoreId ?? state.leader);
      }),
      { numRuns: 2_000 },
    );
  });

  test("what would end without a quorum of live voters is refused, and only that or a leader without an heir", () => {
    fc.assert(
      fc.property(scenes, (scene) => {
        const result = plan(scene);
        const live = scene.wanted.storeIds.filter((id) => !scene.down.has(id)).length;
        const endsWhole = live > scene.wanted.storeIds.length / 2;
        expect(result.ok).toBe(endsWhole);
      }),
      { numRuns: 2_000 },
    );
  });

  test("a replacement changes both votes in one joint step, and the leader hands over before it goes", () => {
    const scene = {
      led: led([peer(1), peer(2), peer(3)], peer(1)),
      down: new Set<StoreId>(),
      wanted: { storeIds: [storeId(2), storeId(3), storeId(4)] },
    };
    const result = plan(scene);
    expect(result.ok && result.steps.map(({ kind }) => kind)).toEqual([
      "add-learner",
      "transfer-leader",
      "enter-joint",
      "leave-joint",
      "remove-peer",
    ]);
  });

  test("the only peer of a Region moves by way of two voters", () => {
    const scene = {
      led: led([peer(1)], peer(1)),
      down: new Set<StoreId>(),
      wanted: { storeIds: [storeId(2)] },
    };
    const result = plan(scene);
    expect(result.ok && result.steps.map(({ kind }) => kind)).toEqual([
      "add-learner",
      "promote",
      "transfer-leader",
      "remove-peer",
    ]);
  });

  test("a joint configuration has to be left first", () => {
    const peers = [peer(1), peer(2), { ...peer(3), role: "DemotingVoter" as const }];
    const result = plan({
      led: led(peers, peer(1)),
      down: new Set<StoreId>(),
      wanted: { storeIds: [storeId(1), storeId(2)] },
    });
    expect(result).toEqual({ ok: false, reason: "a joint configuration has to be left first" });
  });
});
