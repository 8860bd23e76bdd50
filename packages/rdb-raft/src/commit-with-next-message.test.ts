import { peerId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import type { Message } from "./messages.ts";
import { group, type InstantPeer, settle } from "./testing/instant-peer.ts";

const data = new Uint8Array([1]);

/** Steps what `from` sends into the others, and returns what these answer. */
function deliver(sent: readonly Message[], peers: readonly InstantPeer[]): Message[] {
  return sent.flatMap((message) => {
    const peer = peers.find(({ node }) => node.id === message.to);
    peer?.node.step(message);
    return peer?.work() ?? [];
  });
}

describe("a leader with commitWithNextMessage", () => {
  it("commits without a message of its own, and says so when it is told to", () => {
    const [leader, ...followers] = group({ commitWithNextMessage: true });
    settle([leader, ...followers]);
    leader.node.tellCommit();
    deliver(leader.work(), followers);
    leader.node.propose(data);
    const acks = deliver(leader.work(), followers);
    expect(deliver(acks, [leader])).toEqual([]);
    expect(leader.node.commitIndex).toBe(leader.node.lastIndex);
    expect(followers.map(({ node }) => node.commitIndex)).toEqual(
      followers.map(() => leader.node.lastIndex - 1),
    );

    leader.node.tellCommit();
    const told = leader.work();
    expect(told.map(({ type, to, entries }) => [type, to, entries.length])).toEqual([
      ["MsgApp", 2, 0],
      ["MsgApp", 3, 0],
    ]);
    deliver(told, followers);
    expect(followers.map(({ node }) => node.commitIndex)).toEqual(followers.map(() => leader.node.lastIndex));
    leader.node.tellCommit();
    expect(leader.work()).toEqual([]);
  });

  it("says it with the next entries", () => {
    const [leader, ...followers] = group({ commitWithNextMessage: true });
    leader.node.propose(data);
    deliver(deliver(leader.work(), followers), [leader]);
    const committed = leader.node.commitIndex;
    leader.node.propose(data);
    deliver(leader.work(), followers);
    expect(followers.map(({ node }) => node.commitIndex)).toEqual(followers.map(() => committed));
  });

  it("says it with the next heartbeat", () => {
    const [leader, ...followers] = group({ commitWithNextMessage: true });
    leader.node.propose(data);
    deliver(deliver(leader.work(), followers), [leader]);
    leader.node.tick();
    deliver(leader.work(), followers);
    expect(leader.node.progressOf(peerId(2))?.match).toBe(leader.node.commitIndex);
    expect(followers.map(({ node }) => node.commitIndex)).toEqual(
      followers.map(() => leader.node.commitIndex),
    );
  });
});
