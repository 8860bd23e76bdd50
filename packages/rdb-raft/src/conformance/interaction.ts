import { index, peerId } from "@flaredb/rdb-base";
import type { ConfChange } from "../conf-change/conf-change.ts";
import type { ConfChangeTransition } from "../messages.ts";
import { ADD_PEERS_OPTIONS, addPeers } from "./add-peers.ts";
import {
  expectKeys,
  flagOf,
  numberOf,
  positional,
  positionalNumber,
  positionalNumbers,
  valueOf,
  type CommandLine,
} from "./command-line.ts";
import { parseChanges } from "./conf-change-input.ts";
import type { Block } from "./datadriven.ts";
import { deliverMessages } from "./delivery.ts";
import { printLog, printStates, printStatus, sendSnapshot } from "./inspection.ts";
import { InteractionEnv } from "./interaction-env.ts";
import { setLogLevel } from "./log-level.ts";
import type { BlockRunner } from "./runner.ts";
import { BadScriptError, ScriptError } from "./script-error.ts";
import { stabilize } from "./stabilize.ts";
import { processAppendThread, processApplyThread, processReady } from "./storage-threads.ts";
import { utf8 } from "./utf8.ts";

type Handler = (env: InteractionEnv, block: Block) => void;

/** A runner for the blocks of one interaction file: whole peers that talk to each other. */
export function interactionRunner(): BlockRunner {
  const env = new InteractionEnv();
  return (block) => runBlock(env, block);
}

function runBlock(env: InteractionEnv, block: Block): string {
  const handler = HANDLERS.get(block.command);
  if (handler === undefined) {
    throw new BadScriptError(
      `unknown command ${block.command}; known are ${[...HANDLERS.keys()].join(", ")}`,
    );
  }
  expectKeys(block, OPTIONS.get(block.command) ?? []);
  if (block.input !== "" && block.command !== "propose-conf-change") {
    throw new BadScriptError(`${block.command} takes no input, such as ${block.input}`);
  }
  try {
    handler(env, block);
  } catch (error) {
    if (!(error instanceof ScriptError)) {
      throw error;
    }
    // Errors are printed even when everything else is muted.
    return env.output.isQuiet ? error.message : env.output.take() + error.message;
  }
  const printed = env.output.take();
  return printed === "" ? "ok" : printed;
}

/** The options of the commands that have any. */
const OPTIONS = new Map<string, readonly string[]>([
  ["add-nodes", ADD_PEERS_OPTIONS],
  ["propose-conf-change", ["v1", "transition"]],
  ["transfer-leadership", ["from", "to"]],
  ["set-randomized-election-timeout", ["timeout"]],
  ["deliver-msgs", ["type", "drop"]],
  ["stabilize", ["log-level"]],
]);

const HANDLERS = new Map<string, Handler>([
  ["add-nodes", addPeers],
  ["campaign", (env, line) => env.expectAccepted(firstPeer(env, line).raft.campaign())],
  [
    "propose",
    (env, line) => env.expectAccepted(firstPeer(env, line).raft.propose(utf8(positional(line, 1)))),
  ],
  ["propose-conf-change", proposeConfChange],
  ["forget-leader", (env, line) => env.expectAccepted(firstPeer(env, line).raft.forgetLeader())],
  ["transfer-leadership", transferLeadership],
  ["report-unreachable", reportUnreachable],
  ["tick-heartbeat", (env, line) => tick(env, line, "heartbeatTicks")],
  ["tick-election", (env, line) => tick(env, line, "electionTicks")],
  ["set-randomized-election-timeout", setElectionTimeout],
  ["process-ready", onPeers("handling Ready", processReady)],
  ["process-append-thread", onPeers("processing append thread", processAppendThread)],
  ["process-apply-thread", onPeers("processing apply thread", processApplyThread)],
  ["deliver-msgs", deliverMessages],
  ["stabilize", stabilize],
  ["raft-log", (env, line) => printLog(env, firstPeer(env, line))],
  ["compact", compact],
  [
    "send-snapshot",
    (env, line) => sendSnapshot(env, firstPeer(env, line), env.peer(positionalNumber(line, 1))),
  ],
  ["raft-state", printStates],
  ["status", (env, line) => printStatus(env, firstPeer(env, line))],
  ["log-level", (env, line) => setLogLevel(env, positional(line, 0))],
]);

function firstPeer(env: InteractionEnv, line: CommandLine): InteractionEnv["peers"][number] {
  return env.peer(positionalNumber(line, 0));
}

function onPeers(
  header: string,
  body: (env: InteractionEnv, peer: InteractionEnv["peers"][number]) => void,
): Handler {
  return (env, line) => env.forEachUnderHeader(positionalNumbers(line), header, (peer) => body(env, peer));
}

function proposeConfChange(env: InteractionEnv, block: Block): void {
  env.expectAccepted(firstPeer(env, block).raft.proposeConfChange(confChangeOf(block)));
}

function confChangeOf(block: Block): ConfChange {
  const changes = parseChanges(block.input);
  const transition = transitionOf(block);
  const context = new Uint8Array();
  if (!flagOf(block, "v1")) {
    return { version: 2, transition, changes, context };
  }
  const [change] = changes;
  if (change === undefined || changes.length > 1 || transition !== "Auto") {
    throw new ScriptError("v1 conf change can only have one operation and no transition");
  }
  return { version: 1, ...change, context };
}

function transitionOf(block: Block): ConfChangeTransition {
  const name = valueOf(block, "transition") ?? "auto";
  switch (name) {
    case "auto":
      return "Auto";
    case "implicit":
      return "JointImplicit";
    case "explicit":
      return "JointExplicit";
    default:
      throw new ScriptError(`unknown transition ${name}`);
  }
}

function transferLeadership(env: InteractionEnv, line: CommandLine): void {
  const from = env.peer(numberOf(line, "from") ?? 0);
  const to = env.peer(numberOf(line, "to") ?? 0);
  from.raft.transferLeader(to.id);
}

function reportUnreachable(env: InteractionEnv, line: CommandLine): void {
  firstPeer(env, line).raft.reportUnreachable(peerId(positionalNumber(line, 1)));
}

function tick(env: InteractionEnv, line: CommandLine, interval: "heartbeatTicks" | "electionTicks"): void {
  const peer = firstPeer(env, line);
  for (let ticks = peer.config[interval]; ticks > 0; ticks--) {
    peer.raft.tick();
  }
}

function setElectionTimeout(env: InteractionEnv, line: CommandLine): void {
  const timeout = numberOf(line, "timeout") ?? 0;
  if (timeout === 0) {
    throw new BadScriptError(`${line.command}: timeout must be >= 1`);
  }
  firstPeer(env, line).raft.setRandomizedElectionTimeout(timeout);
}

function compact(env: InteractionEnv, line: CommandLine): void {
  const peer = firstPeer(env, line);
  if (!peer.storage.log.compact(index(positionalNumber(line, 1)))) {
    throw new ScriptError("requested index is unavailable due to compaction");
  }
  printLog(env, peer);
}
