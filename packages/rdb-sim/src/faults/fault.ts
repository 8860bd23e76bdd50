import type { AdminAction, ElasticAction } from "./elastic-action.ts";
import type { LateAnswers } from "./late-answers.ts";
import type { LostTransfer } from "./lost-transfer.ts";
import type { MissedChange } from "./missed-change.ts";
import type { MissedMerge } from "./missed-merge.ts";
import type { ChangeProgram } from "./older-programs.ts";
import type { OvertakenSnapshot } from "./overtaken-snapshot.ts";
import type { UntoldChange } from "./untold-change.ts";

/** One process, by the part that it plays when the fault begins. Places count from 0 and wrap around. */
export type Target =
  | { readonly role: "store"; readonly place: number }
  | { readonly role: "leader"; readonly region: number }
  | { readonly role: "follower"; readonly region: number; readonly place: number }
  | { readonly role: "pd" }
  | { readonly role: "client"; readonly place: number };

/** Processes that something befalls together. */
export type Targets =
  | Target
  /** The smallest majority of the Stores, counted from a place on. */
  | { readonly role: "majority"; readonly place: number }
  | { readonly role: "stores" }
  /** All Stores and the placement driver. */
  | { readonly role: "everything" };

/** What goes wrong in the network while it lasts. Rates are fractions. */
export type NetworkFaultAction =
  /** Packets are lost and repeated, so that they come late; Raft's messages are lost for good, and clients' are not. */
  | { readonly kind: "loss"; readonly packetRate: number; readonly messageRate: number }
  | { readonly kind: "delay"; readonly maxMs: number }
  /** Of Raft's messages. */
  | { readonly kind: "duplicate"; readonly rate: number }
  /** Of Raft's messages. */
  | { readonly kind: "reorder"; readonly rate: number }
  /** Of clients' requests: a copy comes once more, as from a client that tries again. */
  | { readonly kind: "repeat"; readonly rate: number }
  | { readonly kind: "narrow"; readonly bytesPerSecond: number }
  /** Everything that the one sends to the other is late. */
  | { readonly kind: "slow-link"; readonly from: Target; readonly to: Target; readonly delayMs: number }
  /** Nothing gets from the one to the other. */
  | { readonly kind: "one-way"; readonly from: Target; readonly to: Target }
  /** Each Store reaches only those beside it in a ring; cut open behind a place, if that is not -1. */
  | { readonly kind: "ring"; readonly gap: number }
  /** The processes whose bit is set, and the others: Stores by place, then PD, then the clients. */
  | { readonly kind: "split"; readonly left: number }
  | { readonly kind: "isolate"; readonly target: Target }
  /** A Store is cut off from the other Stores alone: clients and PD reach it still. */
  | { readonly kind: "cut-off"; readonly target: Target };

/** What goes wrong. */
export type FaultAction =
  | NetworkFaultAction
  | ElasticAction
  | MissedChange
  | MissedMerge
  | OvertakenSnapshot
  | UntoldChange
  | LostTransfer
  | ChangeProgram
  | LateAnswers
  /** Both ends see their connections with each other break. */
  | { readonly kind: "reset-connections"; readonly a: Target; readonly b: Target }
  /** SIGKILL: connections are reset. The process starts again when the fault ends. */
  | { readonly kind: "kill"; readonly targets: Targets }
  /** Nobody hears of it: connections fall silent. */
  | { readonly kind: "power-off"; readonly targets: Targets }
  /** A stop in good order. */
  | { readonly kind: "stop"; readonly targets: Targets }
  /** SIGSTOP: clocks run on. */
  | { readonly kind: "pause"; readonly targets: Targets }
  /** A kill at the so manieth write that the disk is given from now on. */
  | {
      readonly kind: "crash-at-write";
      readonly target: Target;
      readonly writeCount: number;
      /** `torn`: the disk has got a part of it, perhaps. `durable`: it is on the disk, and nobody was told. */
      readonly moment: "torn" | "durable";
    }
  /** The same, counted from the next deletion of a range on: in the middle of a snapshot that is installed. */
  | {
      readonly kind: "crash-in-replacement";
      readonly target: Target;
      readonly writeCount: number;
      readonly moment: "torn" | "durable";
    }
  | { readonly kind: "slow-disk"; readonly target: Target; readonly writeMs: number }
  /** The file system says that it has no room left, and takes writes still. */
  | { readonly kind: "full-disk"; readonly target: Target }
  /** Writes fail: the process ends, and starts again when the fault ends. */
  | { readonly kind: "broken-disk"; readonly target: Target }
  | { readonly kind: "wall-jump"; readonly target: Target; readonly byMs: number }
  /** PD's command to hand leadership over. */
  | { readonly kind: "transfer"; readonly region: number; readonly place: number }
  /** A proposal for the Region as it was before reaches its leader, sent by the peer on this Store. */
  | { readonly kind: "stale-proposal"; readonly region: number; readonly place: number }
  /** The leader hears of the other Stores late; then it loses sight of them, and some clients lose it. */
  | {
      readonly kind: "doubtful-leader";
      readonly region: number;
      /** How late the others' messages are; 0: not. */
      readonly lateMs: number;
      /** When the second stage begins. */
      readonly leadMs: number;
      /** Whether it then hands over to another Store, the one at `place`. */
      readonly transfers: boolean;
      readonly place: number;
      /** What then gets lost between it and the other Stores. */
      readonly cut: "none" | "in" | "out" | "both";
      /** The clients that then cannot reach it, a bit each. */
      readonly clients: number;
    }
  /** A follower cannot reach the leader; then the others start anew, and cannot either. */
  | {
      readonly kind: "usurper";
      readonly region: number;
      /** Of the follower. */
      readonly place: number;
      readonly leadMs: number;
      /** How long the others are down. */
      readonly restartMs: number;
      readonly clients: number;
    };

export type FaultKind = FaultAction["kind"];

/** One thing that goes wrong for a while, counted from the start of the run. */
export type Fault = FaultAction & { readonly atMs: number; readonly durationMs: number };

/** A line for people: when, for how long, what, and with which parameters. */
export function formatFault(fault: Fault): string {
  const { atMs, durationMs, kind, ...parameters } = fault;
  const words = Object.entries<number | string | boolean | Targets | AdminAction>(parameters).map(
    ([name, value]) => `${name}=${formatParameter(value)}`,
  );
  return `${seconds(atMs)} +${seconds(durationMs)} ${[kind, ...words].join(" ")}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(3)}s`;
}

function formatParameter(value: number | string | boolean | Targets | AdminAction): string {
  if (typeof value !== "object") {
    return String(value);
  }
  return "role" in value ? formatTargets(value) : Object.values(value).join("/");
}

/** `leader of Region #0`, `Store #2`: places count from 0. */
function formatTargets(targets: Targets): string {
  switch (targets.role) {
    case "store":
      return `store#${targets.place}`;
    case "leader":
      return `leader(region#${targets.region})`;
    case "follower":
      return `follower#${targets.place}(region#${targets.region})`;
    case "pd":
      return "PD";
    case "client":
      return `client#${targets.place}`;
    case "majority":
      return `majority(from#${targets.place})`;
    case "stores":
    case "everything":
      return targets.role;
  }
}
