import { type RegionId, regionId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { SimClock } from "../testing/index.ts";
import { ProposalRounds, type RoundMember } from "./proposal-rounds.ts";

const MIN_COUNT = 16;
const COMMIT_MS = 4;
/** More Regions than rounds are for. */
const MANY_COUNT = 300;

/** The writes of one Region, as a test sets them. */
class Writes {
  readonly regionId: RegionId;
  queuedCount = 0;
  inLogCount = 0;

  constructor(id: number) {
    this.regionId = regionId(id);
  }

  get waitingCount(): number {
    return this.queuedCount + this.inLogCount;
  }
}

interface LoopOptions {
  readonly regionCount?: number;
  readonly commitMs?: number;
  readonly minCount?: number;
}

/** A Store's loop with Regions 1, 2 ... */
class Loop {
  readonly clock = new SimClock();
  /** Regions that get a turn next. */
  readonly next = new Set<RegionId>();
  readonly rounds: ProposalRounds;
  readonly writes: Writes[] = [];
  readonly members: RoundMember[] = [];

  constructor({ regionCount = 2, commitMs = COMMIT_MS, minCount = MIN_COUNT }: LoopOptions = {}) {
    this.rounds = new ProposalRounds(this.clock, minCount, (id) => this.next.add(id));
    for (let id = 1; id <= regionCount; id++) {
      const writes = new Writes(id);
      const member = this.rounds.member(writes);
      this.writes.push(writes);
      this.members.push(member);
      this.commit(id, commitMs);
      // All of them are known to write.
      member.mayPropose();
      member.proposed();
      member.committed(commitMs);
    }
  }

  member(id: number): RoundMember {
    return this.members[id - 1] as RoundMember;
  }

  /** The Region's entries take so long, for long enough to be what entries take. */
  commit(id: number, tookMs: number): void {
    for (let count = 0; count < 100; count++) {
      this.member(id).committed(tookMs);
    }
  }

  /** How the writes of each Region stand: in its queue and in the log. */
  set(...counts: readonly (readonly [queued: number, inLog: number])[]): void {
    for (const [place, [queued, inLog]] of counts.entries()) {
      Object.assign(this.writes[place] as Writes, { queuedCount: queued, inLogCount: inLog });
    }
  }

  /** A turn of these Regions, and of those that wanted one. @returns which of them propose */
  turn(...ids: readonly number[]): number[] {
    const turn = new Set([...this.next, ...ids.map((id) => regionId(id))]);
    this.next.clear();
    this.rounds.beginTurn(turn);
    const waiting = [...turn].filter((id) => (this.writes[id - 1] as Writes).queuedCount > 0);
    const proposing = waiting.filter((id) => this.member(id).mayPropose());
    this.rounds.endTurn();
    return proposing.toSorted((a, b) => a - b);
  }

  /** When the next turn is asked for, from now. */
  async waitMs(): Promise<number> {
    const startMs = this.clock.monotonicMs();
    const asked = await this.clock.runUntil(() => this.next.size > 0, 1_000);
    return asked ? this.clock.monotonicMs() - startMs : Number.POSITIVE_INFINITY;
  }
}

describe("a Store's Regions with many writes outstanding", () => {
  it("propose together, when most of what is outstanding waits", () => {
    const loop = new Loop({ regionCount: 3 });
    loop.set([1, 9], [0, 10], [0, 10]);
    expect(loop.turn(1)).toEqual([]);
    loop.set([7, 0], [8, 2], [5, 0]);
    expect(loop.turn(2, 3)).toEqual([]);
    loop.set([8, 0], [8, 0], [5, 0]);
    expect(loop.turn(1)).toEqual([1, 2, 3]);
    expect(loop.turn()).toEqual([]);
  });

  it("wait no longer than an entry takes to be committed, each time anew", async () => {
    const loop = new Loop();
    loop.set([1, 9], [0, 10]);
    for (let round = 0; round < 3; round++) {
      expect(loop.turn(1)).toEqual([]);
      expect(await loop.waitMs()).toBeCloseTo(COMMIT_MS);
      expect(loop.turn()).toEqual([1]);
    }
  });

  it("wait as long after a round that began by itself", async () => {
    const loop = new Loop();
    loop.set([1, 9], [0, 10]);
    expect(loop.turn(1)).toEqual([]);
    await loop.clock.run(COMMIT_MS / 2);
    loop.set([10, 0], [10, 0]);
    expect(loop.turn(2)).toEqual([1, 2]);
    loop.set([1, 9], [0, 10]);
    expect(loop.turn(1)).toEqual([]);
    expect(await loop.waitMs()).toBeCloseTo(COMMIT_MS);
  });

  it("wait as long as the quickest of them takes, if that is less", async () => {
    const loop = new Loop({ regionCount: 3, commitMs: 8 });
    loop.member(2).committed(2);
    loop.set([1, 9], [1, 9], [0, 10]);
    expect(loop.turn(1)).toEqual([]);
    expect(loop.turn(2)).toEqual([]);
    expect(await loop.waitMs()).toBeCloseTo(2);
    expect(loop.turn()).toEqual([1, 2]);
  });

  it("begin with less when another Store begins, but not with little, nor later on", () => {
    const loop = new Loop();
    loop.set([5, 5], [0, 10]);
    loop.rounds.othersBegan();
    expect(loop.turn(1)).toEqual([]);
    loop.set([6, 4], [0, 10]);
    expect(loop.turn(1)).toEqual([]);
    loop.rounds.othersBegan();
    expect(loop.turn()).toEqual([1]);
  });

  it("do not wait for what was outstanding two ticks ago", () => {
    const loop = new Loop();
    loop.set([1, 99], [0, 100]);
    expect(loop.turn(1)).toEqual([]);
    loop.set([13, 0], [0, 4]);
    loop.rounds.tick();
    expect(loop.turn(1)).toEqual([]);
    loop.rounds.tick();
    expect(loop.turn()).toEqual([1]);
  });

  it("do not wait for one whose entry takes far longer than entries do", async () => {
    const loop = new Loop();
    loop.set([1, 0], [0, 100]);
    loop.member(2).proposed();
    loop.rounds.tick();
    await loop.clock.run(1.9 * COMMIT_MS);
    expect(loop.turn(1)).toEqual([]);
    loop.member(1).leave();
    loop.rounds.tick();
    loop.rounds.tick();
    await loop.clock.run(0.2 * COMMIT_MS);
    expect(loop.turn(1)).toEqual([1]);
  });

  it("do not wait for one that leads no more", () => {
    const loop = new Loop();
    loop.set([1, 0], [0, 100]);
    expect(loop.turn(1)).toEqual([]);
    loop.member(2).leave();
    expect(loop.turn(1)).toEqual([1]);
  });

  it("do not count one that was idle at a tick", () => {
    const loop = new Loop();
    loop.set([1, 0], [0, 0]);
    loop.rounds.tick();
    loop.set([1, 100], [0, 0]);
    expect(loop.turn(1)).toEqual([1]);
  });

  it.each([
    { entries: "hardly any time", commitMs: 0.9 },
    { entries: "long", commitMs: 11 },
  ])("do not wait where entries take $entries", ({ commitMs }) => {
    const loop = new Loop({ commitMs });
    loop.set([1, 0], [0, 100]);
    expect(loop.turn(1)).toEqual([1]);
  });

  it("do not wait when they are too many", () => {
    const loop = new Loop({ regionCount: MANY_COUNT });
    loop.set([1, 0], [0, 100]);
    expect(loop.turn(1)).toEqual([1]);
  });

  it("ask for no turn when nobody waits any more", async () => {
    const left = new Loop();
    left.set([1, 0], [0, 100]);
    expect(left.turn(1)).toEqual([]);
    left.member(1).leave();
    expect(await left.waitMs()).toBe(Number.POSITIVE_INFINITY);
    const stopped = new Loop();
    stopped.set([1, 0], [0, 100]);
    expect(stopped.turn(1)).toEqual([]);
    stopped.rounds.stop();
    expect(await stopped.waitMs()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("a Region", () => {
  it("that is alone waits for nobody", () => {
    const loop = new Loop({ regionCount: 1 });
    loop.set([1, 100]);
    expect(loop.turn(1)).toEqual([1]);
  });

  it("waits for nobody while little is outstanding", () => {
    const loop = new Loop();
    loop.set([1, 0], [0, MIN_COUNT - 2]);
    expect(loop.turn(1)).toEqual([1]);
    loop.set([1, 0], [0, MIN_COUNT - 1]);
    expect(loop.turn(1)).toEqual([]);
  });
});
