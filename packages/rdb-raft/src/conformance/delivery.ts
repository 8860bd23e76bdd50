import { describeMessage } from "../describe-message.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message, type MessageType } from "../messages.ts";
import { numbersOf, positionalNumbers, valueOf, type CommandLine } from "./command-line.ts";
import { describeRefusal, type InteractionEnv } from "./interaction-env.ts";
import { BadScriptError } from "./script-error.ts";

/** Whose messages are handled, and how. */
export interface Recipient {
  readonly id: number;
  readonly drop: boolean;
}

/** `deliver-msgs i.. [type=MsgX] drop=(..)`. */
export function deliverMessages(env: InteractionEnv, line: CommandLine): void {
  const ids = positionalNumbers(line);
  const drops = numbersOf(line, "drop");
  const both = drops.find((id) => ids.includes(id));
  if (both !== undefined) {
    throw new BadScriptError(`can't both deliver and drop messages to ${both}`);
  }
  const recipients = [...ids.map((id) => ({ id, drop: false })), ...drops.map((id) => ({ id, drop: true }))];
  const type = messageType(line);
  const counts = recipients.map((recipient) => deliverTo(env, recipient, type));
  if (counts.every((count) => count === 0)) {
    env.output.writeLine("no messages");
  }
}

const MESSAGE_TYPES: Record<MessageType, true> = {
  MsgHup: true,
  MsgBeat: true,
  MsgProp: true,
  MsgApp: true,
  MsgAppResp: true,
  MsgVote: true,
  MsgVoteResp: true,
  MsgSnap: true,
  MsgHeartbeat: true,
  MsgHeartbeatResp: true,
  MsgUnreachable: true,
  MsgSnapStatus: true,
  MsgCheckQuorum: true,
  MsgTransferLeader: true,
  MsgTimeoutNow: true,
  MsgReadIndex: true,
  MsgReadIndexResp: true,
  MsgPreVote: true,
  MsgPreVoteResp: true,
  MsgStorageAppend: true,
  MsgStorageAppendResp: true,
  MsgStorageApply: true,
  MsgStorageApplyResp: true,
  MsgForgetLeader: true,
};

/** The type to handle alone; undefined for all. */
function messageType(line: CommandLine): string | undefined {
  const type = valueOf(line, "type");
  if (type !== undefined && !Object.hasOwn(MESSAGE_TYPES, type)) {
    throw new BadScriptError(`${line.command}: unknown message type ${type}`);
  }
  return type;
}

/**
 * Delivers or drops what is queued for one recipient, in the order of the queue; what a peer sends meanwhile waits.
 *
 * @returns how many messages were handled
 */
export function deliverTo(env: InteractionEnv, recipient: Recipient, type?: string): number {
  const handled = env.messages.filter((message) => isFor(message, recipient, type));
  env.messages = env.messages.filter((message) => !isFor(message, recipient, type));
  for (const message of handled) {
    env.output.writeLine(`${recipient.drop ? "dropped: " : ""}${describeMessage(message)}`);
    if (!recipient.drop) {
      step(env, message);
    }
  }
  return handled.length;
}

function step(env: InteractionEnv, message: Message): void {
  const refusal = describeRefusal(env.peer(message.to).raft.step(message));
  if (refusal !== undefined) {
    env.output.writeLine(refusal);
  }
}

function isFor(message: Message, { id, drop }: Recipient, type: string | undefined): boolean {
  return message.to === id && !(drop && isLocal(message)) && (type === undefined || message.type === type);
}

/** A peer's messages to itself and its storage threads' are never lost. */
function isLocal(message: Message): boolean {
  return message.from === message.to || isThread(message.from) || isThread(message.to);
}

function isThread(id: Message["to"]): boolean {
  return id === LOCAL_APPEND_THREAD || id === LOCAL_APPLY_THREAD;
}
