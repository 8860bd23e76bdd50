import {
  type KeyRange,
  type Peer,
  type PeerRole,
  type RegionId,
  FULL_RANGE,
  compareKeys,
  formatRange,
  index,
  peerId,
  rangesOutside,
  rangesOverlap,
  regionId,
  storeId,
  term,
} from "@flaredb/rdb-base";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CONF_VER_JUMP, firstSteps, planRecovery } from "./plan-recovery.ts";
import { type SurveyedPeer, hasQuorum, surveysByRegion } from "./surveyed-peer.ts";

/** A peer of Region `id` on `store`, whose peers are on `stores`; peer ids are made of both. */
function peer(id: number, store: number, range: string, over: Partial<Sketch> = {}): SurveyedPeer {
  const sketch = { stores: [1, 2, 3], confVer: 1, version: 1, roles: {}, last: [6, 20], ...over };
  const [startKey, endKey] = range.split("-").map((text) => new TextEncoder().encode(text));
  const peers: Peer[] = sketch.stores.map((each) => ({
    id: peerId(id * 10 + each),
    storeId: storeId(each),
    role: sketch.roles[each] ?? "Voter",
  }));
  const { confVer, version } = sketch;
  return {
    ...{ storeId: storeId(store), peerId: peerId(id * 10 + store), term: term(sketch.last[0] ?? 0) },
    region: {
      ...{ id: regionId(id), epoch: { confVer, version }, peers },
      ...{ startKey: startKey ?? new Uint8Array(0), endKey: endKey ?? new Uint8Array(0) },
    },
    ...{ lastTerm: term(sketch.last[0] ?? 0), lastIndex: index(sketch.last[1] ?? 0) },
    ...{ commitIndex: index(10), appliedIndex: index(10), mergeTarget: undefined },
    ...{ isEmpty: false, isHalted: false, isDamaged: false, isInstalling: false },
    ...sketch.peer,
  };
}

interface Sketch {
  readonly stores: readonly number[];
  readonly confVer: number;
  readonly version: number;
  readonly roles: Readonly<Record<number, PeerRole>>;
  /** Term and index of the last entry. */
  readonly last: readonly number[];
  readonly peer: Partial<SurveyedPeer>;
}

const plan = (
  peers: readonly SurveyedPeer[],
  known: readonly SurveyedPeer[] = [],
  led: readonly RegionId[] = [],
) => planRecovery({ peers, knownRegions: known.map(({ region }) => region), ledRegionIds: new Set(led) });

const summary = (made: ReturnType<typeof plan>) => ({
  steps: made.steps.map(
    ({ survivor, pieces }) =>
      `region ${survivor.region.id} from store ${survivor.storeId}: ${pieces.map(formatRange).join(" ")}`,
  ),
  lost: made.lostRanges.map(({ range, reason }) => formatRange(range) + reason),
  waiting: made.waiting.map(({ regionId: id }) => id),
});

describe("planRecovery", () => {
  it("leaves a Region with a quorum alone and brings the other one back from its only survivor", () => {
    const made = plan([
      peer(1, 1, "-m", { stores: [1, 2, 3] }),
      peer(1, 2, "-m", { stores: [1, 2, 3] }),
      peer(2, 1, "m-", { stores: [1, 3, 4] }),
    ]);
    expect(summary(made)).toEqual({ steps: ['region 2 from store 1: ["m", "")'], lost: [], waiting: [] });
    expect(made.healthyRegionCount).toBe(1);
    expect(made.steps[0]?.epoch).toEqual({ confVer: 1 + CONF_VER_JUMP, version: 1 });
    expect(made.steps[0]?.dropsUnapplied).toBe(false);
  });

  it("says which Regions are more than one recovery brings back: they are not recovered by it", () => {
    const whole = plan([peer(1, 1, "-g"), peer(2, 1, "g-m"), peer(3, 1, "m-")]);
    const { steps, waiting } = summary(firstSteps(whole, 2));
    expect([steps.length, waiting]).toEqual([2, [3]]);
  });

  it("asks both halves of a joint configuration", () => {
    const roles = {
      1: "DemotingVoter",
      2: "DemotingVoter",
      3: "Voter",
      4: "IncomingVoter",
      5: "IncomingVoter",
    } as const;
    const joint = (store: number) => peer(1, store, "-", { stores: [1, 2, 3, 4, 5], roles });
    expect(plan([joint(1), joint(2)]).steps).toHaveLength(1);
    expect(plan([joint(1), joint(3), joint(4)]).steps).toHaveLength(0);
  });

  it("takes no quorum for granted where the newest peer knows of no voter: what an empty one says of its range is nothing", () => {
    const halted = peer(1, 4, "-", {
      ...{ stores: [4], roles: { 4: "Learner" }, confVer: 2 },
      peer: { isHalted: true },
    });
    const survivor = peer(1, 3, "-m");
    expect(summary(plan([halted, survivor]))).toEqual({
      ...{ steps: ['region 1 from store 3: ["", "m")'], waiting: [] },
      lost: ['["m", "")'],
    });
  });

  it("chooses the most advanced log: the last term first, then the last index", () => {
    const stores = [1, 2, 3, 4, 5];
    const made = plan([
      peer(1, 1, "-", { stores, last: [6, 90] }),
      peer(1, 2, "-", { stores, last: [7, 80] }),
    ]);
    expect(summary(made).steps).toEqual(['region 1 from store 2: ["", "")']);
    expect(made.steps[0]?.droppedPeerCount).toBe(1);
  });

  it("gives a survivor that missed a split what no newer Region has, and the rest to those", () => {
    const made = plan([
      peer(1, 1, "-", { last: [9, 99] }),
      peer(2, 4, "d-g", { stores: [4, 2, 3], version: 3 }),
      peer(3, 4, "k-p", { stores: [4, 5, 6], version: 2 }),
      peer(3, 5, "k-p", { stores: [4, 5, 6], version: 2 }),
    ]);
    expect(summary(made)).toEqual({
      steps: ['region 1 from store 1: ["", "d") ["g", "k") ["p", "")', 'region 2 from store 4: ["d", "g")'],
      lost: [],
      waiting: [],
    });
    expect(made.steps[0]).toMatchObject({ epoch: { version: 4 }, dropsUnapplied: true });
    expect(made.steps[1]).toMatchObject({ epoch: { version: 3 }, dropsUnapplied: false });
  });

  it("makes a survivor newer than what only PD knows of its keys", () => {
    const made = plan(
      [peer(1, 1, "-")],
      [peer(1, 2, "-m", { version: 5, confVer: 7 }), peer(2, 2, "m-", { version: 5 })],
    );
    expect(made.steps[0]?.epoch).toEqual({ confVer: 7 + CONF_VER_JUMP, version: 6 });
  });

  it("uses no halted, damaged or empty peer, and says what that loses", () => {
    const made = plan([
      peer(1, 1, "-b", { peer: { isHalted: true } }),
      peer(2, 1, "b-c", { peer: { isDamaged: true } }),
      peer(3, 1, "-", { peer: { isEmpty: true } }),
      peer(4, 1, "c-x"),
    ]);
    expect(summary(made)).toEqual({
      steps: ['region 4 from store 1: ["c", "x")'],
      lost: [
        '["", "b")region 1 is stopped on store 1',
        '["b", "c")region 2 is damaged on store 1',
        '["x", "")',
      ],
      waiting: [],
    });
  });

  it("waits for a merge that a target with a quorum decides, and ends one that nobody decides any more", () => {
    const mergeTarget = { id: regionId(2), epoch: { confVer: 1, version: 1 } };
    const source = peer(1, 1, "-m", { version: 2, peer: { mergeTarget } });
    const target = (store: number, version = 1) => peer(2, store, "m-", { version });
    expect(summary(plan([source, target(1), target(2)]))).toMatchObject({
      steps: [],
      waiting: [1],
      lost: [],
    });
    // It has passed: it never will take it.
    const passed = plan([source, target(1, 2), target(2, 2)]);
    expect(passed.steps[0]).toMatchObject({ endsMerge: true, epoch: { version: 3 } });
    const bothLost = plan([source, target(1)]);
    expect(bothLost.steps.map(({ endsMerge }) => endsMerge)).toEqual([true, false]);
    // The target took it: its keys are the target's.
    expect(summary(plan([source, peer(2, 1, "-", { version: 3 })])).steps).toEqual([
      'region 2 from store 1: ["", "")',
    ]);
  });

  it("waits for a Region with a quorum that has not applied what gave the other one its keys", () => {
    const made = plan([
      peer(1, 1, "-"),
      peer(1, 2, "-"),
      peer(2, 4, "m-", { stores: [4, 5, 6], version: 2 }),
    ]);
    expect(summary(made)).toEqual({ steps: [], lost: [], waiting: [2] });
  });

  it("leaves a Region alone that is led, though its peers were not where they were looked for", () => {
    const moved = peer(1, 1, "-m", { stores: [1] });
    const seen = peer(2, 1, "m-", { stores: [1, 2, 3] });
    const made = plan([seen], [moved, seen], [regionId(1), regionId(2)]);
    expect(summary(made)).toEqual({ steps: [], lost: [], waiting: [2, 1] });
  });

  const KEYS = ["", "a", "b", "c", "d", "e", "f", "g"];
  const anyPeer = fc
    .record({
      id: fc.integer({ min: 1, max: 6 }),
      store: fc.integer({ min: 1, max: 5 }),
      from: fc.integer({ min: 0, max: 6 }),
      length: fc.integer({ min: 1, max: 7 }),
      version: fc.integer({ min: 1, max: 5 }),
      confVer: fc.integer({ min: 1, max: 5 }),
      last: fc.tuple(fc.integer({ min: 5, max: 8 }), fc.integer({ min: 10, max: 30 })),
      stores: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 }),
      isHalted: fc.boolean(),
      isEmpty: fc.boolean(),
      merges: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
    })
    .map(({ id, store, from, length, isHalted, isEmpty, merges, ...rest }) =>
      peer(id, store, `${KEYS[from]}-${KEYS[from + length] ?? ""}`, {
        ...rest,
        stores: [...new Set([store, ...rest.stores])],
        peer: {
          ...{ isHalted, isEmpty },
          mergeTarget:
            merges === undefined ? undefined : { id: regionId(merges), epoch: { confVer: 1, version: 1 } },
        },
      }),
    );
  const anySurvey = fc
    .array(anyPeer, { maxLength: 14 })
    .map((peers) => [...new Map(peers.map((each) => [each.peerId, each])).values()]);

  it("tiles the key space with what is brought back, what has a quorum, what waits and what is lost", () => {
    fc.assert(
      fc.property(anySurvey, anySurvey, (peers, known) => {
        const made = plan(peers, known);
        const surveys = surveysByRegion(peers);
        const kept = surveys.filter(hasQuorum).map(({ newest }) => newest.region);
        const waiting = surveys.filter(({ id }) => made.waiting.some(({ regionId: each }) => each === id));
        const pieces = made.steps.flatMap((step) => step.pieces);
        const lost = made.lostRanges.map(({ range }) => range);
        const mine: KeyRange[] = [...pieces, ...lost];
        // No two of what the plan gives out share a key, nor does anything of it with a Region that has a quorum.
        for (const [at, range] of mine.entries()) {
          expect(range.endKey.length === 0 || compareKeys(range.startKey, range.endKey) < 0).toBe(true);
          const others = [...mine.slice(at + 1), ...kept];
          expect(others.filter((other) => rangesOverlap(other, range)).map(formatRange)).toEqual([]);
        }
        const claims = waiting.flatMap(({ peers: each }) => each.map(({ region }) => region));
        const holes = [...mine, ...kept, ...claims].reduce<readonly KeyRange[]>(
          (rest, range) => rest.flatMap((part) => rangesOutside(part, range)),
          [FULL_RANGE],
        );
        expect(holes.map(formatRange)).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it("touches no Region that has a quorum, and chooses the latest range and then the most advanced log", () => {
    fc.assert(
      fc.property(anySurvey, anySurvey, (peers, known) => {
        const surveys = new Map(surveysByRegion(peers).map((survey) => [survey.id, survey]));
        const made = plan(peers, known);
        for (const { survivor, epoch } of made.steps) {
          const survey = surveys.get(survivor.region.id);
          expect(survey !== undefined && !hasQuorum(survey)).toBe(true);
          const place = ({ region, lastTerm, lastIndex }: SurveyedPeer): number[] => [
            region.epoch.version,
            lastTerm,
            lastIndex,
          ];
          for (const other of survey?.peers ?? []) {
            expect(epoch.confVer).toBeGreaterThan(other.region.epoch.confVer + CONF_VER_JUMP - 1);
            if (!other.isEmpty && !other.isHalted) {
              const [mine, theirs] = [place(survivor), place(other)];
              const first = mine.findIndex((value, at) => value !== theirs[at]);
              expect(first === -1 || (mine[first] ?? 0) > (theirs[first] ?? 0)).toBe(true);
            }
          }
          // Nothing that anybody knows of its keys is as new, so PD's map and every client take it.
          const rivals = known.filter(({ region }) => rangesOverlap(region, survivor.region));
          for (const { region } of rivals.filter(({ region: other }) => other.id !== survivor.region.id)) {
            expect(epoch.version).toBeGreaterThan(region.epoch.version);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
