import { index } from "@flaredb/rdb-base";
import { Changer, type ChangeResult } from "../conf-change/changer.ts";
import { formatProgressMap, formatTrackerConfig } from "../describe.ts";
import { ProgressTracker } from "../progress-tracker.ts";
import { expectKeys, flagOf } from "./command-line.ts";
import { parseChanges } from "./conf-change-input.ts";
import type { Block } from "./datadriven.ts";
import type { BlockRunner } from "./runner.ts";

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
    const result = change(new Changer({ tracker, lastIndex: index(lastIndex) }), block);
    lastIndex++;
    if (!result.ok) {
      return result.reason;
    }
    tracker.config = result.config;
    tracker.progress = result.progress;
    return `${formatTrackerConfig(result.config)}\n${formatProgressMap(result.progress)}`;
  };
}

function change(changer: Changer, block: Block): ChangeResult {
  expectKeys(block, ["autoleave"]);
  const changes = parseChanges(block.input);
  switch (block.command) {
    case "simple":
      return changer.simple(changes);
    case "enter-joint":
      return changer.enterJoint(flagOf(block, "autoleave"), changes);
    case "leave-joint":
      return changes.length > 0 ? { ok: false, reason: "this command takes no input" } : changer.leaveJoint();
    default:
      throw new Error(`unknown command ${block.command}; known are simple, enter-joint, leave-joint`);
  }
}
