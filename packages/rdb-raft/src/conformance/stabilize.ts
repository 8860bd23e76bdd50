import { positionalNumbers, valueOf, type CommandLine } from "./command-line.ts";
import { deliverTo } from "./delivery.ts";
import { assertSettles, type InteractionEnv } from "./interaction-env.ts";
import type { InteractionPeer } from "./interaction-peer.ts";
import { setLogLevel } from "./log-level.ts";
import { processAppendThread, processApplyThread, processReady } from "./storage-threads.ts";

/** The longest script needs a few dozen. */
const MAX_ROUNDS = 10_000;

/** `stabilize [i..] [log-level=L]`: runs the peers until none has anything left to do. */
export function stabilize(env: InteractionEnv, line: CommandLine): void {
  const level = valueOf(line, "log-level");
  const levelBefore = env.output.level;
  if (level !== undefined) {
    setLogLevel(env, level);
  }
  try {
    runUntilStable(env, env.peersOrAll(positionalNumbers(line)));
  } finally {
    env.output.level = levelBefore;
  }
}

function runUntilStable(env: InteractionEnv, peers: readonly InteractionPeer[]): void {
  for (let round = 0; runRound(env, peers); round++) {
    assertSettles(round, MAX_ROUNDS, "stabilize");
  }
}

/** Every Ready, then all messages, then the append threads, then the apply threads; whether there was anything to do. */
function runRound(env: InteractionEnv, peers: readonly InteractionPeer[]): boolean {
  const steps = [handleReady, receiveMessages, runAppendThread, runApplyThread];
  let didWork = false;
  for (const step of steps) {
    for (const peer of peers) {
      didWork = step(env, peer) || didWork;
    }
  }
  return didWork;
}

function handleReady(env: InteractionEnv, peer: InteractionPeer): boolean {
  const hasWork = peer.raft.hasReady();
  if (hasWork) {
    env.underHeader(peer, "handling Ready", () => processReady(env, peer));
  }
  return hasWork;
}

function receiveMessages(env: InteractionEnv, peer: InteractionPeer): boolean {
  const hasWork = env.messages.some((message) => message.to === peer.id);
  if (hasWork) {
    env.underHeader(peer, "receiving messages", () => deliverTo(env, { id: peer.id, drop: false }));
  }
  return hasWork;
}

function runAppendThread(env: InteractionEnv, peer: InteractionPeer): boolean {
  const items = peer.appendWork.length;
  if (items > 0) {
    env.underHeader(peer, "processing append thread", () =>
      repeat(items, () => processAppendThread(env, peer)),
    );
  }
  return items > 0;
}

function runApplyThread(env: InteractionEnv, peer: InteractionPeer): boolean {
  const items = peer.applyWork.length;
  if (items > 0) {
    env.underHeader(peer, "processing apply thread", () =>
      repeat(items, () => processApplyThread(env, peer)),
    );
  }
  return items > 0;
}

function repeat(times: number, body: () => void): void {
  for (let time = 0; time < times; time++) {
    body();
  }
}
