import { describe, expect, it } from "vitest";
import { getCommand } from "../testing/index.ts";
import { type PendingRead, ReadQueue } from "./read-queue.ts";

let requestId = 0;

function read(deadlineMs = 1_000): PendingRead {
  return {
    caller: { requestId: ++requestId, deadlineMs, respond: () => {} },
    command: getCommand("k"),
    fromFollower: false,
    epochVersion: 1,
  };
}

describe("ReadQueue", () => {
  it("carries reads from gathering through a round to apply", () => {
    const queue = new ReadQueue(10);
    const first = read();
    queue.gather(first);
    expect(queue.needsRound(0)).toBe(true);
    queue.beginRound("r1", 0);
    expect(queue.needsRound(0)).toBe(false);
    expect(queue.completeRound("r1", 7)).toBe(0);
    expect(queue.takeReady(6)).toEqual([]);
    expect(queue.takeReady(7)).toEqual([{ read: first, index: 7, onLease: false }]);
    expect(queue.count).toBe(0);
  });

  it("completes earlier rounds with a later one's answer, at its index", () => {
    const queue = new ReadQueue(10);
    const [a, b, c] = [read(), read(), read()];
    queue.gather(a);
    queue.beginRound("r1", 10);
    queue.gather(b);
    queue.beginRound("r2", 20);
    queue.gather(c);
    queue.beginRound("r3", 30);
    expect(queue.completeRound("r2", 9)).toBe(20);
    expect(queue.takeReady(9).map((ready) => ready.read)).toEqual([a, b]);
    expect(queue.completeRound("r1", 9)).toBeUndefined();
    expect(queue.completeRound("r3", 11)).toBe(30);
    expect(queue.count).toBe(1);
  });

  it("does not know the answer to a round that it gave up", () => {
    const queue = new ReadQueue(10);
    const one = read();
    queue.gather(one);
    queue.beginRound("r1", 0);
    queue.abandonRounds();
    expect(queue.completeRound("r1", 5)).toBeUndefined();
    expect(queue.needsRound(1)).toBe(true);
    queue.beginRound("r2", 1);
    queue.completeRound("r2", 6);
    expect(queue.takeReady(6).map((ready) => ready.read)).toEqual([one]);
  });

  it("keeps reads on the lease apart, each at its own index", () => {
    const queue = new ReadQueue(10);
    const [early, late] = [read(), read()];
    queue.addOnLease(late, 9);
    queue.addOnLease(early, 5);
    expect(queue.takeReady(5).map((ready) => ready.read)).toEqual([early]);
    expect(queue.takeReady(9)).toEqual([{ read: late, index: 9, onLease: true }]);
  });

  it("has a few rounds at once at most; what gathers meanwhile shares the next", () => {
    const queue = new ReadQueue(100);
    for (let round = 0; round < 8; round++) {
      queue.gather(read());
      queue.beginRound(`r${round}`, 0);
    }
    queue.gather(read());
    expect(queue.needsRound(0)).toBe(false);
    queue.completeRound("r0", 1);
    expect(queue.needsRound(0)).toBe(true);
  });

  it("makes a lost round again, with its reads", () => {
    const queue = new ReadQueue(10);
    const one = read();
    queue.gather(one);
    queue.beginRound("r1", 0);
    expect(queue.needsRound(500)).toBe(false);
    expect(queue.needsRound(501)).toBe(true);
    queue.beginRound("r2", 501);
    queue.completeRound("r2", 3);
    expect(queue.takeReady(3).map((ready) => ready.read)).toEqual([one]);
  });

  it("takes a late answer to a round that seemed lost: a slow network is no lost one", () => {
    const queue = new ReadQueue(10);
    const [early, late] = [read(), read()];
    queue.gather(early);
    queue.beginRound("r1", 0);
    queue.beginRound("r2", 501);
    queue.gather(late);
    queue.beginRound("r3", 600);
    expect(queue.completeRound("r1", 3)).toBe(0);
    expect(queue.takeReady(3).map((ready) => ready.read)).toEqual([early]);
    expect(queue.completeRound("r3", 4)).toBe(600);
    expect(queue.takeReady(4).map((ready) => ready.read)).toEqual([late]);
  });

  it("keeps a bounded number of rounds, and the reads of those it forgets", () => {
    const queue = new ReadQueue(100);
    const one = read();
    queue.gather(one);
    for (let round = 0; round < 20; round++) {
      queue.beginRound(`r${round}`, round * 501);
    }
    expect(queue.completeRound("r11", 3)).toBeUndefined();
    expect(queue.completeRound("r12", 3)).toBe(12 * 501);
    expect(queue.takeReady(3).map((ready) => ready.read)).toEqual([one]);
  });

  it("makes a lost round again though an older one, without reads, was lost too", () => {
    const queue = new ReadQueue(10);
    queue.beginRound("renewal", 0);
    queue.gather(read());
    queue.beginRound("r1", 1);
    expect(queue.needsRound(502)).toBe(true);
  });

  it("does not repeat a lost round that has no reads", () => {
    const queue = new ReadQueue(10);
    queue.beginRound("renewal", 0);
    expect(queue.needsRound(10_000)).toBe(false);
  });

  it("is bounded over all places where a read can wait", () => {
    const queue = new ReadQueue(3);
    expect(queue.gather(read())).toBe(true);
    queue.beginRound("r1", 0);
    expect(queue.gather(read())).toBe(true);
    expect(queue.addOnLease(read(), 1)).toBe(true);
    expect(queue.gather(read())).toBe(false);
    expect(queue.addOnLease(read(), 1)).toBe(false);
    queue.takeReady(1);
    expect(queue.gather(read())).toBe(true);
  });

  it("gives back the reads that are over, wherever they wait", () => {
    const queue = new ReadQueue(10);
    const over = [read(5), read(5), read(5)];
    const [inRound, gathered, ready] = over as [PendingRead, PendingRead, PendingRead];
    queue.gather(inRound);
    queue.gather(read());
    queue.beginRound("r1", 0);
    queue.gather(gathered);
    queue.addOnLease(ready, 4);
    const taken = queue.takeWhere((one) => one.caller.deadlineMs <= 5);
    expect(new Set(taken)).toEqual(new Set(over));
    expect(queue.count).toBe(1);
    queue.completeRound("r1", 1);
    expect(queue.takeReady(9)).toHaveLength(1);
  });
});
