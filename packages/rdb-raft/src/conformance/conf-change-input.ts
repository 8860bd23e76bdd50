import { peerId } from "@flaredb/rdb-base";
import type { ConfChangeSingle, ConfChangeType } from "../messages.ts";
import { ScriptError } from "./script-error.ts";

const CHANGE_TYPES = new Map<string, ConfChangeType>([
  ["v", "AddNode"],
  ["l", "AddLearnerNode"],
  ["r", "RemoveNode"],
  ["u", "UpdateNode"],
]);

/**
 * Reads `v3 l4 r5 u6`: make 3 a voter, make 4 a learner, remove 5, update 6. Nothing at all is no change.
 *
 * @throws ScriptError when a word is none of these
 */
export function parseChanges(input: string): ConfChangeSingle[] {
  return input
    .split(/\s+/)
    .filter((word) => word !== "")
    .map(parseChange);
}

function parseChange(word: string): ConfChangeSingle {
  const type = CHANGE_TYPES.get(word.slice(0, 1));
  const id = word.slice(1);
  if (id === "") {
    throw new ScriptError(`unknown token ${word}`);
  }
  if (type === undefined || !/^\d+$/.test(id)) {
    throw new ScriptError(`unknown input: ${word}`);
  }
  return { type, nodeId: peerId(Number(id)) };
}
