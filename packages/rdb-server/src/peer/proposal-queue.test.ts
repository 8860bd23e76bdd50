import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logCommand } from "./commands.ts";
import { type Caller, PendingEntries, type Proposal, ProposalQueue } from "./proposal-queue.ts";

function caller(requestId: number, deadlineMs = 1_000): Caller {
  return { requestId, deadlineMs, respond: () => {} };
}

function proposal(requestId: number, sizeBytes: number, deadlineMs?: number): Proposal {
  const command = {
    case: "delete",
    value: { $typeName: "rdb.v1.DeleteRequest", key: new Uint8Array(1) },
  } as const;
  return { caller: caller(requestId, deadlineMs), command, epochVersion: 1, identity: undefined, sizeBytes };
}

function rangeProposal(requestId: number): Proposal {
  const [startKey, endKey] = [new Uint8Array(1), new Uint8Array(2)];
  const value = { $typeName: "rdb.v1.DeleteRangeRequest", startKey, endKey } as const;
  return { ...proposal(requestId, 1), command: { case: "deleteRange", value } };
}

const ids = (group: readonly Proposal[]): number[] => group.map((one) => one.caller.requestId);
const command = logCommand({ confVer: 1, version: 1 }, 0, { case: undefined });

describe("ProposalQueue", () => {
  it("folds what waits into groups of at most the entry's size, in order", () => {
    const queue = new ProposalQueue({ maxCount: 100, maxBytes: 1_000 });
    [40, 40, 40, 10, 200, 1].forEach((sizeBytes, place) => queue.push(proposal(place, sizeBytes)));
    expect(queue.takeGroups(100).map(ids)).toEqual([[0, 1], [2, 3], [4], [5]]);
    expect(queue.isEmpty).toBe(true);
  });

  it("gives a deleteRange an entry of its own", () => {
    const queue = new ProposalQueue({ maxCount: 100, maxBytes: 1_000 });
    const [range, another] = [rangeProposal(2), rangeProposal(3)];
    for (const one of [proposal(0, 1), proposal(1, 1), range, another, proposal(4, 1), proposal(5, 1)]) {
      queue.push(one);
    }
    expect(queue.takeGroups(100).map(ids)).toEqual([[0, 1], [2], [3], [4, 5]]);
  });

  it("takes the callers whose time is over, and keeps the others' order and room", () => {
    const queue = new ProposalQueue({ maxCount: 100, maxBytes: 100 });
    for (const one of [proposal(0, 40, 10), proposal(1, 30, 99), proposal(2, 30, 10)]) {
      queue.push(one);
    }
    const taken = queue.takeCallers(({ deadlineMs }) => deadlineMs <= 10);
    expect(taken.map(({ requestId }) => requestId)).toEqual([0, 2]);
    expect([71, 70].map((size) => queue.push(proposal(3, size)))).toEqual([false, true]);
    expect(queue.takeGroups(1_000).map(ids)).toEqual([[1, 3]]);
  });

  it("loses nothing and reorders nothing, whatever the sizes and the bound", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(300), { maxLength: 50 }),
        fc.oneof(fc.nat(400), fc.constant(Number.POSITIVE_INFINITY)),
        (sizes, entryMaxBytes) => {
          const queue = new ProposalQueue({ maxCount: 100, maxBytes: 1_000_000 });
          sizes.forEach((sizeBytes, place) => queue.push(proposal(place, sizeBytes)));
          const groups = queue.takeGroups(entryMaxBytes);
          expect(groups.flatMap(ids)).toEqual(sizes.map((_, place) => place));
          for (const group of groups) {
            const bytes = group.reduce((sum, one) => sum + one.sizeBytes, 0);
            expect(group.length === 1 || bytes <= entryMaxBytes).toBe(true);
          }
        },
      ),
    );
  });

  it("is full by count, or by bytes, and has room again once taken", () => {
    const byCount = new ProposalQueue({ maxCount: 2, maxBytes: 1_000 });
    expect([1, 2, 3].map((id) => byCount.push(proposal(id, 1)))).toEqual([true, true, false]);
    const byBytes = new ProposalQueue({ maxCount: 100, maxBytes: 100 });
    expect([60, 41, 40].map((size) => byBytes.push(proposal(size, size)))).toEqual([true, false, true]);
    byBytes.takeGroups(1_000);
    expect(byBytes.push(proposal(9, 100))).toBe(true);
  });
});

describe("PendingEntries", () => {
  it("counts the callers, not the entries", () => {
    const pending = new PendingEntries();
    pending.add({ index: 5, term: 2, command, callers: [caller(1), caller(2)] });
    pending.add({ index: 6, term: 2, command, callers: [caller(3)] });
    expect(pending.callerCount).toBe(3);
    expect(pending.take(5)?.callers.map((one) => one?.requestId)).toEqual([1, 2]);
    expect(pending.take(5)).toBeUndefined();
    expect(pending.callerCount).toBe(1);
  });

  it("gives back the entry of an older term whose place is taken", () => {
    const pending = new PendingEntries();
    expect(pending.add({ index: 5, term: 2, command, callers: [caller(1)] })).toBeUndefined();
    const replaced = pending.add({ index: 5, term: 4, command, callers: [caller(2)] });
    expect(replaced?.callers.map((one) => one?.requestId)).toEqual([1]);
    expect(pending.callerCount).toBe(1);
    expect(pending.take(5)?.term).toBe(4);
  });

  it("takes single callers and keeps the places of the others", () => {
    const pending = new PendingEntries();
    pending.add({ index: 5, term: 2, command, callers: [caller(1, 10), caller(2, 99), caller(3, 10)] });
    pending.add({ index: 6, term: 2, command, callers: [caller(4, 10)] });
    expect(pending.takeCallers((one) => one.deadlineMs <= 10).map((one) => one.requestId)).toEqual([1, 3, 4]);
    expect(pending.callerCount).toBe(1);
    expect(pending.take(6)).toBeUndefined();
    expect(pending.take(5)?.callers.map((one) => one?.requestId)).toEqual([undefined, 2, undefined]);
    expect(pending.callerCount).toBe(0);
  });
});
