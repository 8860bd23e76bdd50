import { assert } from "@flaredb/rdb-base";
import { describeMessage } from "../describe-message.ts";
import { describeReady } from "../describe-ready.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type HardState, type Message } from "../messages.ts";
import type { Ready } from "../ready.ts";
import type { InteractionEnv } from "./interaction-env.ts";
import type { InteractionPeer } from "./interaction-peer.ts";

/**
 * Takes a peer's Ready and prints it. Without async storage writes its work is done here, in the order that a driver
 * must keep: persist, apply, send, advance. With them it goes to the storage threads' lists.
 */
export function processReady(env: InteractionEnv, peer: InteractionPeer): void {
  const ready = peer.raft.ready();
  env.output.write(describeReady(ready));
  if (peer.config.asyncStorageWrites === true) {
    for (const message of ready.messages) {
      send(env, peer, message);
    }
    return;
  }
  persistAndApply(peer, ready);
  env.messages.push(...ready.messages);
  peer.raft.advance();
}

/** Does one item of a peer's append thread. */
export function processAppendThread(env: InteractionEnv, peer: InteractionPeer): void {
  const message = peer.appendWork.shift();
  if (message === undefined) {
    env.output.write("no append work to perform");
    return;
  }
  printProcessing(env, message);
  peer.append({
    hardState: hardStateOf(message),
    entries: message.entries,
    snapshot: message.snapshot,
  });
  respond(env, message);
}

/** Does one item of a peer's apply thread. */
export function processApplyThread(env: InteractionEnv, peer: InteractionPeer): void {
  const message = peer.applyWork.shift();
  if (message === undefined) {
    env.output.write("no apply work to perform");
    return;
  }
  printProcessing(env, message);
  peer.apply(message.entries);
  respond(env, message);
}

function persistAndApply(peer: InteractionPeer, ready: Ready): void {
  peer.append({ hardState: ready.hardState, entries: ready.entries, snapshot: ready.snapshot });
  peer.apply(ready.committedEntries);
}

function send(env: InteractionEnv, peer: InteractionPeer, message: Message): void {
  if (message.to === LOCAL_APPEND_THREAD) {
    assert(message.type === "MsgStorageAppend", "the append thread gets MsgStorageAppend only");
    peer.appendWork.push(message);
  } else if (message.to === LOCAL_APPLY_THREAD) {
    assert(message.type === "MsgStorageApply", "the apply thread gets MsgStorageApply only");
    peer.applyWork.push(message);
  } else {
    env.messages.push(message);
  }
}

function printProcessing(env: InteractionEnv, message: Message): void {
  env.output.writeLine("Processing:");
  env.output.writeLine(describeMessage({ ...message, responses: [] }));
}

function respond(env: InteractionEnv, message: Message): void {
  env.output.writeLine("Responses:");
  for (const response of message.responses) {
    env.output.writeLine(describeMessage(response));
  }
  env.messages.push(...message.responses);
}

/** The hard state that a MsgStorageAppend carries; all zero stands for none. */
function hardStateOf({ term, vote, commit }: Message): HardState | undefined {
  const isEmpty = term === 0 && vote === 0 && commit === 0;
  return isEmpty ? undefined : ({ term, vote, commit } as HardState);
}
