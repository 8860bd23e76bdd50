import { formatProgressMap, formatRole } from "../describe.ts";
import { describeEntries, describeMessage } from "../describe-message.ts";
import { index, type Index } from "@flaredb/rdb-base";
import type { Entry } from "../messages.ts";
import { newMessage } from "../new-message.ts";
import type { InteractionEnv } from "./interaction-env.ts";
import type { InteractionPeer } from "./interaction-peer.ts";

/** `raft-log i`: the entries of the peer's storage. */
export function printLog(env: InteractionEnv, peer: InteractionPeer): void {
  const first = peer.storage.firstIndex();
  const last = peer.storage.lastIndex();
  if (last < first) {
    env.output.write(`log is empty: first index=${first}, last index=${last}`);
    return;
  }
  env.output.write(describeEntries(readLog(peer, first, index(last + 1))));
}

/** `raft-state`: what each peer believes of itself and its leader. */
export function printStates(env: InteractionEnv): void {
  for (const { raft } of env.peers) {
    const { voters, votersOutgoing } = raft.confState;
    const isVoter = voters.includes(raft.id) || votersOutgoing.includes(raft.id);
    const membership = isVoter ? "(Voter)" : "(Non-Voter)";
    env.output.writeLine(
      `${raft.id}: ${formatRole(raft.role)} ${membership} Term:${raft.term} Lead:${raft.lead}`,
    );
  }
}

/** `status i`: a leader's view of each peer; nothing of any other. */
export function printStatus(env: InteractionEnv, peer: InteractionPeer): void {
  env.output.write(formatProgressMap(peer.raft.status().progress ?? new Map()));
}

/** `send-snapshot a b`: queues a message with the newest snapshot, past the core, and prints it. */
export function sendSnapshot(env: InteractionEnv, from: InteractionPeer, to: InteractionPeer): void {
  const message = newMessage({
    type: "MsgSnap",
    to: to.id,
    from: from.id,
    term: from.raft.term,
    snapshot: from.storage.newest,
  });
  env.messages.push(message);
  env.output.write(describeMessage(message));
}

function readLog(peer: InteractionPeer, low: Index, high: Index): readonly Entry[] {
  const entries = peer.storage.entries(low, high, Number.MAX_SAFE_INTEGER);
  if (typeof entries === "string") {
    throw new Error(`entries [${low}, ${high}) of peer ${peer.id}: ${entries}`);
  }
  return entries;
}
