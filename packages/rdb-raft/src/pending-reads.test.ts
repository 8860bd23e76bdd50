import { index, peerId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { newMessage } from "./new-message.ts";
import { MAX_PENDING_READS, PendingReads } from "./pending-reads.ts";
import { JointConfig } from "./quorum/joint.ts";
import { MajorityConfig } from "./quorum/majority.ts";

const voters = new JointConfig(new MajorityConfig([1, 2, 3].map(peerId)));
const request = newMessage({ type: "MsgReadIndex", context: Uint8Array.of(7) });

/** Adds a read, which the leader confirms itself. Returns the context of its heartbeat. */
function add(reads: PendingReads, at: number): Uint8Array {
  reads.add(request, index(at));
  const context = reads.heartbeatContext() ?? new Uint8Array(0);
  reads.acknowledge(peerId(1), context);
  return context;
}

const confirmed = (reads: PendingReads): number[] => reads.advance(voters).map((read) => read.index);

describe("PendingReads", () => {
  it("confirms a read, and all before it, once a quorum has answered its heartbeat", () => {
    const reads = new PendingReads();
    add(reads, 10);
    const second = add(reads, 11);
    add(reads, 12);
    expect(confirmed(reads)).toEqual([]);
    reads.acknowledge(peerId(2), second);
    expect(confirmed(reads)).toEqual([10, 11]);
    expect(confirmed(reads)).toEqual([]);
  });

  it("takes the lowest position that a quorum has confirmed, whoever is in it", () => {
    const reads = new PendingReads();
    const first = add(reads, 10);
    reads.acknowledge(peerId(3), first);
    expect(confirmed(reads)).toEqual([10]);
    const second = add(reads, 11);
    reads.acknowledge(peerId(2), second);
    expect(confirmed(reads)).toEqual([11]);
  });

  it("does not confirm a read by the late answer to the heartbeat of an earlier one with the same context", () => {
    const reads = new PendingReads();
    const first = add(reads, 10);
    reads.acknowledge(peerId(2), first);
    expect(confirmed(reads)).toEqual([10]);
    add(reads, 20);
    reads.acknowledge(peerId(3), first);
    reads.acknowledge(peerId(2), first);
    expect(confirmed(reads)).toEqual([]);
  });

  it("keeps a confirmation when an older one comes after it", () => {
    const reads = new PendingReads();
    const first = add(reads, 10);
    reads.acknowledge(peerId(2), add(reads, 11));
    reads.acknowledge(peerId(2), first);
    expect(confirmed(reads)).toEqual([10, 11]);
  });

  it("counts no answer that carries no position", () => {
    const reads = new PendingReads();
    add(reads, 10);
    reads.acknowledge(peerId(2), Uint8Array.of(255, 255, 255));
    expect(confirmed(reads)).toEqual([]);
  });

  it("asks for nothing when no read waits", () => {
    const reads = new PendingReads();
    expect(reads.heartbeatContext()).toBeUndefined();
    reads.acknowledge(peerId(2), add(reads, 10));
    confirmed(reads);
    expect(reads.heartbeatContext()).toBeUndefined();
  });

  it("gives postponed reads back once", () => {
    const reads = new PendingReads();
    reads.postpone(request);
    expect(reads.takePostponed()).toEqual([request]);
    expect(reads.hasPostponed).toBe(false);
    expect(reads.takePostponed()).toEqual([]);
  });

  it("keeps no more reads than its limit", () => {
    const reads = new PendingReads();
    for (let count = 0; count < MAX_PENDING_READS; count++) {
      expect(reads.add(request, index(1))).toBe(true);
      reads.postpone(request);
    }
    expect(reads.add(request, index(1))).toBe(false);
    reads.postpone(request);
    expect(reads.takePostponed()).toHaveLength(MAX_PENDING_READS);
  });
});
