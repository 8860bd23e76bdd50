import { describeCall } from "./describe-call.ts";
import type { Call } from "./history.ts";
import { type KeyOperation, operationsByKey } from "./key-operations.ts";
import { type Impasse, SEARCH_MAX_STEPS, type Verdict, checkLinearizable } from "./linearizability.ts";
import { type RegisterOp, type RegisterState, describeState, registerModel } from "./register-model.ts";
import { timeline } from "./timeline.ts";
import type { Violation } from "./violation.ts";

/** Calls of the longest order that an explanation shows, from its end. */
const SHOWN_PREFIX_MAX_COUNT = 6;
/** Calls that cannot come next, of which an explanation shows the first. */
const SHOWN_STUCK_MAX_COUNT = 6;

/**
 * Whether the history of every key is linearizable: a register with versions, written, deleted, compared and scanned.
 * Calls with an unknown outcome may have taken effect at any time from their start on, or never.
 *
 * @returns what is not, one for each key; `linearizability undecided` where the search gave up, which is no proof
 * @param maxSteps for the search of one key
 */
export function checkKeys(calls: readonly Call[], maxSteps: number = SEARCH_MAX_STEPS): Violation[] {
  const violations: Violation[] = [];
  for (const [key, operations] of operationsByKey(calls)) {
    const verdict = checkLinearizable(registerModel, operations, maxSteps);
    const violation = explain(key, operations, verdict);
    if (violation !== undefined) {
      violations.push(violation);
    }
  }
  return violations;
}

function explain(
  key: string,
  operations: readonly KeyOperation[],
  verdict: Verdict<RegisterState, RegisterOp>,
): Violation | undefined {
  if (verdict.kind === "linearizable") {
    return undefined;
  }
  const { kind, stepCount } = verdict;
  return kind === "violation"
    ? { name: "linearizability", message: message(key, operations, verdict) }
    : {
        name: "linearizability undecided",
        message: `no order was found in ${stepCount} steps, which is no proof\n${message(key, operations, verdict)}`,
      };
}

function message(
  key: string,
  operations: readonly KeyOperation[],
  { prefix, state, stuck }: Impasse<RegisterState, RegisterOp>,
): string {
  const asKeyOperations = (some: readonly unknown[]): KeyOperation[] => some as KeyOperation[];
  const lastOnes = asKeyOperations(prefix.slice(-SHOWN_PREFIX_MAX_COUNT));
  const stuckOnes = asKeyOperations(stuck.slice(0, SHOWN_STUCK_MAX_COUNT));
  const openOnes = pendingAt(operations, prefix, stuckOnes);
  const shown = [...lastOnes, ...stuckOnes, ...openOnes];
  const rows = timeline(shown.map(({ call }) => ({ call, text: describeCall(call, key) })));
  const part = (from: number, count: number): string[] => rows.slice(from, from + count);
  return [
    `key "${key}": no order of its ${operations.length} calls makes every answer right`,
    `the longest one has ${prefix.length} calls and ends with`,
    ...part(0, lastOnes.length),
    `then there is ${describeState(state)}, and none of these can come next:`,
    ...part(lastOnes.length, stuckOnes.length),
    ...(openOnes.length === 0 ? [] : ["whose outcome is unknown, and which would not help:"]),
    ...part(lastOnes.length + stuckOnes.length, openOnes.length),
  ].join("\n");
}

/** Unknown calls that had begun when those that are stuck ended, and are in no order yet. */
function pendingAt(
  operations: readonly KeyOperation[],
  prefix: readonly unknown[],
  stuck: readonly KeyOperation[],
): KeyOperation[] {
  const used = new Set(prefix);
  const endNs = stuck.reduce((latest, op) => Math.max(latest, op.endNs), 0);
  return operations
    .filter((op) => op.isOptional && !used.has(op) && op.startNs <= endNs)
    .slice(-SHOWN_STUCK_MAX_COUNT);
}
