import { assertNever, formatKey } from "@flaredb/rdb-base";
import type { OperatorStep, StepPeer } from "../placement/operator-plan.ts";

/** Most keys of a split that are named. */
const SHOWN_KEYS_MAX_COUNT = 4;

/** The step in words: `add learner 17 on store 4`. */
export function stepText(step: OperatorStep): string {
  switch (step.kind) {
    case "add-learner":
      return `add learner ${peerText(step)}`;
    case "promote":
      return `promote peer ${peerText(step)}`;
    case "remove-peer":
      return `remove peer ${peerText(step)}`;
    case "enter-joint":
      return `enter the joint configuration: promote ${peersText(step.promote)}, demote ${peersText(step.demote)}`;
    case "leave-joint":
      return "leave the joint configuration";
    case "transfer-leader":
      return `transfer the leadership from store ${step.fromStoreId} to store ${step.toStoreId}`;
    case "split":
      return splitText(step.keys, step.partCount);
    case "merge":
      return `merge into region ${step.target.id}`;
    default:
      return assertNever(step, "step of an operator");
  }
}

function splitText(keys: readonly Uint8Array[], partCount: number): string {
  if (keys.length === 0) {
    return `split into ${Math.max(2, partCount)} parts of about equal size`;
  }
  const shown = keys.slice(0, SHOWN_KEYS_MAX_COUNT).map((key) => formatKey(key));
  const rest = keys.length > shown.length ? ` and ${keys.length - shown.length} more` : "";
  return `split at ${shown.join(", ")}${rest}`;
}

function peersText(peers: readonly StepPeer[]): string {
  return peers.length === 0 ? "nobody" : peers.map(peerText).join(", ");
}

function peerText({ peerId, storeId }: StepPeer): string {
  return `${peerId} on store ${storeId}`;
}
