import { type RegionId, regionId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { SimClock } from "../testing/index.ts";
import { ProposalRounds, type RoundMember } from "./proposal-rounds.ts";

const BUSY_MIN_COUNT = 4;
const COMMIT_MS = 3;

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

/** A Store's loop with busy Regions 1, 2 ... */
class Loop {
  readonly clock = new SimClock();
  /** Regions that get a turn next. */
  readonly next = new Set<RegionId>();
  readonly rounds = new ProposalRounds(this.clock, BUSY_MIN_COUNT, (id) => this.next.add(id));
  readonly writes: Writes[] = [];
  readonly members: RoundMember[] = [];

  constructor(regionCount: number, commitMs = COMMIT_MS) {
    for (let id = 1; id <= regionCount; id++) {
      const writes = new Writes(id);
      const member = this.rounds.member(writes);
      makeBusy(member);
      for (let count = 0; count < 100; count++) {
        member.committed(commitMs);
      }
      this.writes.push(writes);
      this.members.push(member);
    }
  }

  /** How the writes of each Region stand: in its queue and in the log. */
  set(...counts: readonly (readonly [queued: number, inLog: number])[]): void {
    for (const [place, [queued, inLog]] of counts.entries()) {
      Object.assign(this.writes[place] as Writes, { queuedCount: queued, inLogCount: inLog });
    }
  }

  /** A turn of these Regions, and of those that were held until then. @returns which of them propose */
  turn(...ids: readonly number[]): number[] {
    const turn = new Set([...this.next, ...ids.map((id) => regionId(id))]);
    this.next.clear();
    this.rounds.beginTurn(turn);
    const waiting = [...turn].filter((id) => (this.writes[id - 1] as Writes).queuedCount > 0);
    const proposing = waiting.filter((id) => (this.members[id - 1] as RoundMember).mayPropose());
    this.rounds.endTurn();
    return proposing.toSorted((a, b) => a - b);
  }
}

function makeBusy(member: RoundMember): void {
  for (let count = 0; count < 10; count++) {
    member.proposed(10 * BUSY_MIN_COUNT);
  }
}

describe("a Store's busy Regions", () => {
  it("propose together, when most of what is outstanding waits", () => {
    const loop = new Loop(3);
    loop.set([1, 9], [0, 10], [0, 10]);
    expect(loop.turn(1)).toEqual([]);
    loop.set([7, 0], [8, 2], [5, 0]);
    expect(loop.turn(2, 3)).toEqual([]);
    loop.set([8, 0], [8, 0], [5, 0]);
    expect(loop.turn(1)).toEqual([1, 2, 3]);
  });

  it("wait no longer than an entry takes to be committed", async () => {
    const loop = new Loop(2);
    loop.set([1, 0], [0, 10]);
    expect(loop.turn(1)).toEqual([]);
    await loop.clock.run(COMMIT_MS - 1);
    expect(loop.turn()).toEqual([]);
    await loop.clock.run(1);
    expect([...loop.next]).toEqual([1]);
    expect(loop.turn()).toEqual([1]);
    expect(loop.turn(1)).toEqual([]);
  });

  it("begin with less when another Store begins, but not with little", () => {
    const loop = new Loop(2);
    loop.set([5, 5], [0, 10]);
    loop.rounds.othersBegan();
    expect(loop.turn(1)).toEqual([]);
    loop.set([6, 4], [0, 10]);
    expect(loop.turn()).toEqual([]);
    loop.rounds.othersBegan();
    expect(loop.turn()).toEqual([1]);
  });

  it("do not wait for what was outstanding two ticks ago", () => {
    const loop = new Loop(2);
    loop.set([1, 99], [0, 100]);
    expect(loop.turn(1)).toEqual([]);
    loop.set([3, 0], [0, 1]);
    loop.rounds.tick();
    expect(loop.turn(1)).toEqual([]);
    loop.rounds.tick();
    expect(loop.turn()).toEqual([1]);
  });

  it("do not count one that was idle at a tick, until it proposes again", () => {
    const loop = new Loop(2);
    loop.set([1, 0], [0, 0]);
    loop.rounds.tick();
    loop.set([1, 0], [0, 10]);
    expect(loop.turn(1)).toEqual([1]);
    loop.members[1]?.proposed(1);
    expect(loop.turn(1)).toEqual([]);
  });

  it("do not wait where an entry takes long", () => {
    const loop = new Loop(2, 100);
    loop.set([1, 0], [0, 100]);
    expect(loop.turn(1)).toEqual([1]);
  });

  it("do not wait for one that leads no more", () => {
    const loop = new Loop(2);
    loop.set([1, 0], [0, 100]);
    expect(loop.turn(1)).toEqual([]);
    loop.members[1]?.leave();
    expect(loop.turn(1)).toEqual([1]);
  });
});

describe("a Region", () => {
  it("that is alone waits for nobody", () => {
    const loop = new Loop(1);
    loop.set([1, 100]);
    expect(loop.turn(1)).toEqual([1]);
  });

  it("whose entries hold little proposes at once, until they hold more", () => {
    const loop = new Loop(3);
    loop.set([1, 0], [0, 100], [0, 100]);
    const member = loop.members[0] as RoundMember;
    for (let count = 0; count < 20; count++) {
      member.proposed(BUSY_MIN_COUNT - 1);
    }
    expect(loop.turn(1)).toEqual([1]);
    makeBusy(member);
    expect(loop.turn(1)).toEqual([]);
  });
});
