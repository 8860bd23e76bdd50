import { type Peer, type PeerRole, SeededRandom, index, peerId, storeId, term } from "@flaredb/rdb-base";
import { EMPTY_CONF_STATE, MemoryStorage, RawNode } from "@flaredb/rdb-raft";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PeerChange } from "../../store/admin-command.ts";
import { planPeerChanges } from "./peer-changes.ts";
import { hasQuorum, isJoint } from "./voter-sets.ts";

const silentLogger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

function peer(id: number, role: PeerRole = "Voter", store = id): Peer {
  return { id: peerId(id), storeId: storeId(store), role };
}

function change(kind: PeerChange["kind"], id: number, store = id): PeerChange {
  return { kind, peer: peer(id, "Voter", store) };
}

function planned(peers: readonly Peer[], ...changes: PeerChange[]): string {
  const plan = planPeerChanges(peers, changes);
  return plan.ok ? plan.peers.map(({ id, role }) => `${id} ${role}`).join(", ") : plan.problem;
}

/** A core that is in this configuration. */
function coreOf(voters: readonly number[]): RawNode {
  const storage = new MemoryStorage();
  const confState = { ...EMPTY_CONF_STATE, voters: voters.map((id) => peerId(id)) };
  storage.applySnapshot({ metadata: { confState, index: index(5), term: term(5) }, data: new Uint8Array(0) });
  return new RawNode({
    ...{ id: peerId(1), electionTicks: 10, heartbeatTicks: 1, storage, applied: index(5) },
    logger: silentLogger,
    ...{ maxSizePerMessageBytes: 1_024, maxInflightMessages: 8, random: new SeededRandom(1) },
  });
}

const voters = [peer(1), peer(2), peer(3)];

describe("a change of peers", () => {
  it("alone is simple", () => {
    expect(planned(voters, change("AddLearner", 4))).toBe("1 Voter, 2 Voter, 3 Voter, 4 Learner");
    expect(planned([...voters, peer(4, "Learner")], change("Promote", 4))).toBe(
      "1 Voter, 2 Voter, 3 Voter, 4 Voter",
    );
    expect(planned(voters, change("Remove", 2))).toBe("1 Voter, 3 Voter");
  });

  it("with others enters a joint configuration, and none leaves it", () => {
    const joint = planPeerChanges(
      [...voters, peer(4, "Learner")],
      [change("Promote", 4), change("AddLearner", 3)],
    );
    expect(joint).toMatchObject({ ok: true, conf: { transition: "JointExplicit" } });
    const { peers } = joint as Extract<typeof joint, { ok: true }>;
    expect(peers.map(({ role }) => role)).toEqual(["Voter", "Voter", "DemotingVoter", "IncomingVoter"]);
    expect(planned(peers)).toBe("1 Voter, 2 Voter, 3 Learner, 4 Voter");
    expect(planned(peers, change("Remove", 1))).toContain("left first");
  });

  it.each([
    ["a peer that is none", [change("Remove", 9)]],
    ["a second peer of a Store", [change("AddLearner", 9, 3)]],
    ["a peer on another Store than it is", [change("Remove", 3, 9)]],
    ["a voter that is made a learner alone", [change("AddLearner", 3)]],
    ["a voter that is promoted", [change("Promote", 3)]],
    ["a voter that is removed in a joint change", [change("AddLearner", 2), change("Remove", 3)]],
    ["a peer twice", [change("AddLearner", 4), change("Promote", 4)]],
    ["a joint change of learners alone", [change("AddLearner", 4), change("AddLearner", 5)]],
    ["no joint configuration to leave", []],
  ])("is refused: %s", (_, changes) => {
    expect(planPeerChanges(voters, changes).ok).toBe(false);
  });

  it("has the roles that the core makes of it, whatever was changed before", () => {
    const step = fc.array(
      fc.record({
        kind: fc.constantFrom<PeerChange["kind"]>("AddLearner", "Promote", "Remove"),
        id: fc.integer({ min: 1, max: 6 }),
      }),
      { maxLength: 3 },
    );
    const plannedCounts = { ok: 0 };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const core = coreOf([1, 2, 3]);
        let peers: readonly Peer[] = voters;
        for (const changes of steps) {
          const plan = planPeerChanges(
            peers,
            changes.map(({ kind, id }) => change(kind, id)),
          );
          if (!plan.ok) {
            continue;
          }
          const conf = { version: 2, ...plan.conf, context: new Uint8Array(0) } as const;
          const simulated = core.simulateConfChange(conf);
          if (!simulated.ok) {
            expect(simulated.reason).toContain("removed all voters");
            continue;
          }
          plannedCounts.ok++;
          peers = plan.peers;
          const ids = (...roles: PeerRole[]) =>
            peers
              .filter(({ role }) => roles.includes(role))
              .map(({ id }) => id)
              .toSorted((a, b) => a - b);
          const state = core.applyConfChange(conf);
          const sorted = (list: readonly number[]) => list.toSorted((a, b) => a - b);
          expect(sorted(state.voters)).toEqual(ids("Voter", "IncomingVoter"));
          expect(sorted(state.votersOutgoing)).toEqual(isJoint(peers) ? ids("Voter", "DemotingVoter") : []);
          expect(sorted(state.learners)).toEqual(ids("Learner"));
          expect(sorted(state.learnersNext)).toEqual(ids("DemotingVoter"));
        }
      }),
      { numRuns: 500 },
    );
    expect(plannedCounts.ok).toBeGreaterThan(100);
  });
});

describe("a quorum", () => {
  const good =
    (...ids: number[]) =>
    ({ id }: Peer): boolean =>
      ids.includes(id);

  it("is more than half of the voters; learners do not count", () => {
    const peers = [...voters, peer(4, "Learner")];
    expect(hasQuorum(peers, good(1, 2))).toBe(true);
    expect(hasQuorum(peers, good(1, 4))).toBe(false);
    expect(hasQuorum([peer(1), peer(2)], good(1))).toBe(false);
  });

  it("of a joint configuration is one of each half", () => {
    const peers = [peer(1), peer(2), peer(3, "DemotingVoter"), peer(4, "IncomingVoter")];
    expect(hasQuorum(peers, good(1, 2))).toBe(true);
    expect(hasQuorum(peers, good(1, 3))).toBe(false);
    expect(hasQuorum(peers, good(1, 4))).toBe(false);
    expect(hasQuorum(peers, good(1, 3, 4))).toBe(true);
  });
});
