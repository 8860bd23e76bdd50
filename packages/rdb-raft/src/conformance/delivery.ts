import { describeMessage } from "../describe-message.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message } from "../messages.ts";
import { expectKeys, numbersOf, positionalNumbers, valueOf, type CommandLine } from "./command-line.ts";
import { describeRefusal, type InteractionEnv } from "./interaction-env.ts";

/** Whose messages are handled, and how. */
export interface Recipient {
  readonly id: number;
  readonly drop: boolean;
}

/** `deliver-msgs i.. [type=MsgX] drop=(..)`. */
export function deliverMessages(env: InteractionEnv, line: CommandLine): void {
  expectKeys(line, ["type", "drop"]);
  const ids = positionalNumbers(line);
  const drops = numbersOf(line, "drop");
  const both = drops.find((id) => ids.includes(id));
  if (both !== undefined) {
    throw new Error(`can't both deliver and drop messages to ${both}`);
  }
  const recipients = [...ids.map((id) => ({ id, drop: false })), ...drops.map((id) => ({ id, drop: true }))];
  const type = valueOf(line, "type");
  const counts = recipients.map((recipient) => deliverTo(env, recipient, type));
  if (counts.every((count) => count === 0)) {
    env.output.writeLine("no messages");
  }
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
