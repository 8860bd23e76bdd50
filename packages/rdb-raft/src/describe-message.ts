import type { PeerId } from "@flaredb/rdb-base";
import { asV2 } from "./conf-change/conf-change.ts";
import { decodeConfChange } from "./conf-change/codec.ts";
import { formatSnapshot } from "./describe.ts";
import {
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  NO_PEER,
  type ConfChangeSingle,
  type ConfChangeType,
  type Entry,
  type Message,
} from "./messages.ts";
import { quoteBytes } from "./quote-bytes.ts";

const CHANGE_LETTERS: Record<ConfChangeType, string> = {
  AddNode: "v",
  AddLearnerNode: "l",
  RemoveNode: "r",
  UpdateNode: "u",
};

/** `1/12 EntryNormal "data"`; of a change of the configuration what it changes: `1/4 EntryConfChangeV2 v3 r1`. */
function describeEntry(entry: Entry): string {
  const head = `${entry.term}/${entry.index} Entry${entry.type}`;
  if (entry.type === "Normal") {
    return `${head} ${quoteBytes(entry.data)}`;
  }
  const change = decodeConfChange(entry.type, entry.data);
  const changes = change === undefined ? "undecodable" : describeChanges(asV2(change).changes);
  return changes === "" ? head : `${head} ${changes}`;
}

/** One line for each entry, each with its line's end. */
export function describeEntries(entries: readonly Entry[]): string {
  return entries.map((entry) => `${describeEntry(entry)}\n`).join("");
}

/** `v3 l4 r5 u6`. */
function describeChanges(changes: readonly ConfChangeSingle[]): string {
  return changes.map((change) => `${CHANGE_LETTERS[change.type]}${change.nodeId}`).join(" ");
}

/** `1->2 MsgApp Term:1 Log:1/11 Commit:11 Entries:[...]`, with its snapshot and its responses on lines of their own. */
export function describeMessage(message: Message): string {
  return describeIndented(message, "");
}

function describeIndented(message: Message, indent: string): string {
  let text = `${indent}${describeTarget(message.from)}->${describeTarget(message.to)} ${message.type}`;
  text += ` Term:${message.term} Log:${message.logTerm}/${message.index}`;
  if (message.reject) {
    text += ` Rejected (Hint: ${message.rejectHint})`;
  }
  if (message.commit !== 0) {
    text += ` Commit:${message.commit}`;
  }
  if (message.vote !== 0) {
    text += ` Vote:${message.vote}`;
  }
  text += describeMessageEntries(message.entries, indent);
  if (message.snapshot !== undefined && message.snapshot.metadata.index !== 0) {
    text += `\n${indent}  Snapshot: ${formatSnapshot(message.snapshot)}`;
  }
  if (message.responses.length > 0) {
    const responses = message.responses.map((response) => `${describeIndented(response, `${indent}  `)}\n`);
    text += ` Responses:[\n${responses.join("")}${indent}]`;
  }
  return text;
}

function describeMessageEntries(entries: readonly Entry[], indent: string): string {
  const [first] = entries;
  if (first === undefined) {
    return "";
  }
  if (entries.length === 1) {
    return ` Entries:[${describeEntry(first)}]`;
  }
  return ` Entries:[${entries.map((entry) => `\n${indent}  ${describeEntry(entry)}`).join("")}\n${indent}]`;
}

/** A peer's id in hexadecimal, as in the core's log lines, or the name of a storage thread. */
function describeTarget(id: PeerId | 0): string {
  switch (id) {
    case NO_PEER:
      return "None";
    case LOCAL_APPEND_THREAD:
      return "AppendThread";
    case LOCAL_APPLY_THREAD:
      return "ApplyThread";
    default:
      return id.toString(16);
  }
}
