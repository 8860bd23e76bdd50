import { index } from "@flaredb/rdb-base";
import { Changer, type ChangeResult } from "../conf-change/changer.ts";
import { formatProgressMap, formatTrackerConfig } from "../describe.ts";
import type { ConfChangeSingle } from "../messages.ts";
import { ProgressTracker } from "../progress-tracker.ts";
import { expectKeys, flagOf } from "./command-line.ts";
import { parseChanges } from "./conf-change-input.ts";
import type { Block } from "./datadriven.ts";
import type { BlockRunner } from "./runner.ts";
import { BadScriptError, ScriptError } from "./script-error.ts";

const MAX_INFLIGHT_MESSAGES = 10;

/**
 * A runner for the blocks of a confchange file: `simple`, `enter-joint [autoleave=true]`, `leave-joint`, with changes
 * such as `v3 l4 r5` as input. One configuration changes from block to block; the last index is the number of blocks
 * before.
 */
export function confChangeRunner(): BlockRunner {
  const tracker = new ProgressTracker({ maxInflightMessages: MAX_INFLIGHT_MESSAGES, maxInflightBytes: 0 });
  let lastIndex = 0;
  return (block) => {
    const changer = new Changer({ tracker, lastIndex: index(lastIndex) });
    lastIndex++;
    const result = change(changer, block);
    if (!result.ok) {
      return result.reason;
    }
    tracker.config = result.config;
    tracker.progress = result.progress;
    return `${formatTrackerConfig(result.config)}\n${formatProgressMap(result.progress)}`;
  };
}

function change(changer: Changer, block: Block): ChangeResult {
  expectKeys(block, block.command === "enter-joint" ? ["autoleave"] : []);
  const changes = readChanges(block.input);
  if (typeof changes === "string") {
    return { ok: false, reason: changes };
  }
  switch (block.command) {
    case "simple":
      return changer.simple(changes);
    case "enter-joint":
      return changer.enterJoint(flagOf(block, "autoleave"), changes);
    case "leave-joint":
      return changes.length > 0 ? { ok: false, reason: "this command takes no input" } : changer.leaveJoint();
    default:
      throw new BadScriptError(
        `unknown command ${block.command}; known are simple, enter-joint, leave-joint`,
      );
  }
}

/** The changes, or what is printed of a word that is none. */
function readChanges(input: string): ConfChangeSingle[] | string {
  try {
    return parseChanges(input);
  } catch (error) {
    if (error instanceof ScriptError) {
      return error.message;
    }
    throw error;
  }
}
