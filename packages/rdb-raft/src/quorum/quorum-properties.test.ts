import { index, peerId, type Index, type PeerId } from "@flaredb/rdb-base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JointConfig } from "./joint.ts";
import { MajorityConfig, type VoteResult } from "./majority.ts";

// Quorums against their definition, tried subset by subset.

const RUNS = 500;
const MAX_PEERS = 7;
const MAX_INDEX = 5;

const ids = fc.uniqueArray(fc.integer({ min: 1, max: MAX_PEERS }).map(peerId), { maxLength: MAX_PEERS });
/** Few peers and few indexes, so that ties and gaps are common. */
const acks = fc
  .array(fc.tuple(fc.integer({ min: 1, max: MAX_PEERS }), fc.integer({ min: 0, max: MAX_INDEX })))
  .map((pairs) => new Map(pairs.map(([id, acked]) => [peerId(id), index(acked)] as const)));
const votes = fc
  .array(fc.tuple(fc.integer({ min: 1, max: MAX_PEERS }), fc.boolean()))
  .map((pairs) => new Map(pairs.map(([id, vote]) => [peerId(id), vote] as const)));

function subsets(members: readonly PeerId[]): PeerId[][] {
  return members.reduce<PeerId[][]>((sets, id) => [...sets, ...sets.map((set) => [...set, id])], [[]]);
}

/** Every set of voters that is more than half of them. */
function majorities(members: readonly PeerId[]): PeerId[][] {
  return subsets(members).filter((set) => set.length * 2 > members.length);
}

/** The highest index that all of some majority have. */
function committedByDefinition(members: readonly PeerId[], acked: ReadonlyMap<PeerId, Index>): number {
  const agreed = majorities(members).map((set) => Math.min(...set.map((id) => acked.get(id) ?? 0)));
  return members.length === 0 ? Number.MAX_SAFE_INTEGER : Math.max(...agreed);
}

/** Won when some majority granted; lost when none still can. */
function voteByDefinition(members: readonly PeerId[], cast: ReadonlyMap<PeerId, boolean>): VoteResult {
  if (members.length === 0 || majorities(members).some((set) => set.every((id) => cast.get(id) === true))) {
    return "VoteWon";
  }
  const canStillWin = majorities(members).some((set) => set.every((id) => cast.get(id) !== false));
  return canStillWin ? "VotePending" : "VoteLost";
}

describe("a majority", () => {
  test("commits what some majority has", () => {
    fc.assert(
      fc.property(ids, acks, (members, acked) => {
        const committed = new MajorityConfig(members).committedIndex((id) => acked.get(id));
        expect(committed).toBe(committedByDefinition(members, acked));
      }),
      { numRuns: RUNS },
    );
  });

  test("decides a vote as soon as it is decided, and not before", () => {
    fc.assert(
      fc.property(ids, votes, (members, cast) => {
        expect(new MajorityConfig(members).voteResult(cast)).toBe(voteByDefinition(members, cast));
      }),
      { numRuns: RUNS },
    );
  });

  test("any two majorities of one configuration share a voter (Raft paper §5.2)", () => {
    fc.assert(
      fc.property(ids, votes, votes, (members, first, second) => {
        const config = new MajorityConfig(members);
        const bothWon = config.voteResult(first) === "VoteWon" && config.voteResult(second) === "VoteWon";
        const shared = members.some((id) => first.get(id) === true && second.get(id) === true);
        expect(!bothWon || shared || members.length === 0).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });
});

describe("a joint quorum (Raft thesis §4.3)", () => {
  test("commits what both majorities have", () => {
    fc.assert(
      fc.property(ids, ids, acks, (incoming, outgoing, acked) => {
        const joint = new JointConfig(new MajorityConfig(incoming), new MajorityConfig(outgoing));
        const expected = Math.min(
          committedByDefinition(incoming, acked),
          committedByDefinition(outgoing, acked),
        );
        expect(joint.committedIndex((id) => acked.get(id))).toBe(expected);
      }),
      { numRuns: RUNS },
    );
  });

  test("is won when both majorities are won, and lost when either is", () => {
    fc.assert(
      fc.property(ids, ids, votes, (incoming, outgoing, cast) => {
        const joint = new JointConfig(new MajorityConfig(incoming), new MajorityConfig(outgoing));
        const results = [voteByDefinition(incoming, cast), voteByDefinition(outgoing, cast)];
        const expected = results.includes("VoteLost")
          ? "VoteLost"
          : results.includes("VotePending")
            ? "VotePending"
            : "VoteWon";
        expect(joint.voteResult(cast)).toBe(expected);
      }),
      { numRuns: RUNS },
    );
  });

  test("lists the voters of both halves once, ascending", () => {
    fc.assert(
      fc.property(ids, ids, (incoming, outgoing) => {
        const joint = new JointConfig(new MajorityConfig(incoming), new MajorityConfig(outgoing));
        const expected = [...new Set([...incoming, ...outgoing])].sort((left, right) => left - right);
        expect(joint.ids()).toEqual(expected);
      }),
      { numRuns: RUNS },
    );
  });
});
