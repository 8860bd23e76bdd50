import { formatRange } from "@flaredb/rdb-base";
import {
  type Recovery,
  type RecoveryPlan,
  RecoveryState,
  type RecoveryStep,
  RecoveryStepState,
} from "@flaredb/rdb-proto";
import { type Column, type Screen, renderTable } from "./table.ts";

const planColumns: readonly Column[] = [
  { title: "REGION", align: "right" },
  { title: "FROM STORE", align: "right" },
  { title: "PEER", align: "right" },
  { title: "LAST ENTRY" },
  { title: "KEEPS", shrinks: "middle" },
  { title: "NOTE", shrinks: "end" },
];

const resultColumns: readonly Column[] = [
  { title: "REGION", align: "right" },
  { title: "STORE", align: "right" },
  { title: "STATE", style: (cell) => (cell === "done" ? "good" : cell === "refused" ? "bad" : undefined) },
  { title: "WHY", shrinks: "end" },
];

const stepStates: Readonly<Record<RecoveryStepState, string>> = {
  [RecoveryStepState.UNSPECIFIED]: "unknown",
  [RecoveryStepState.PENDING]: "pending",
  [RecoveryStepState.DONE]: "done",
  [RecoveryStepState.REFUSED]: "refused",
  [RecoveryStepState.CANCELLED]: "cancelled",
};

const states: Readonly<Record<RecoveryState, string>> = {
  [RecoveryState.UNSPECIFIED]: "unknown",
  [RecoveryState.RUNNING]: "running",
  [RecoveryState.DONE]: "done",
  [RecoveryState.CANCELLED]: "cancelled",
};

/** What a plan would do and what it costs, for people. */
export function renderPlan(plan: RecoveryPlan, screen: Screen): string {
  const { steps, lostRanges, waiting, healthyRegionCount, createEmpty, lostStoreIds } = plan;
  const parts = [`${count(healthyRegionCount, "Region")} with a quorum: left alone.\n`];
  if (steps.length > 0) {
    parts.push(`\n${count(steps.length, "Region")} without a quorum, each to come back from one peer:\n`);
    parts.push(renderTable(planColumns, steps.map(planRow), screen));
  }
  if (waiting.length > 0) {
    parts.push(`\nWithout a quorum, and about to change; run the command again afterwards:\n`);
    parts.push(...waiting.map(({ regionId, reason }) => `  Region ${regionId}: ${reason}\n`));
  }
  if (lostRanges.length > 0) {
    parts.push(`\nKey ranges of which nothing is left:\n`);
    parts.push(
      ...lostRanges.map((range) => `  ${formatRange(range)}${range.reason && ` (${range.reason})`}\n`),
    );
    parts.push(
      createEmpty
        ? "They become empty Regions.\n"
        : "They stay unserved. With --create-empty they become empty Regions.\n",
    );
  }
  parts.push(`\n${warning(lostStoreIds)}`);
  return parts.join("");
}

function warning(lostStoreIds: readonly bigint[]): string {
  return [
    "What this costs:",
    "- Writes that were acknowledged, and that the one peer does not have, are lost. Nobody can tell how many, or which.",
    "- Writes that were never acknowledged, and stand in its log, happen now.",
    "- Clients may read what is older than what they have read. Versions of keys may be given out a second time.",
    `- Store ${lostStoreIds.join(", ")}: given up. It is refused for ever, also when it comes back with all its data.`,
    "",
  ].join("\n");
}

/** How a recovery stands, for people. */
export function renderRecovery(recovery: Recovery, screen: Screen): string {
  const { steps, emptyRegions, state, id } = recovery;
  const lines = [`Recovery ${id} without Store ${recovery.lostStoreIds.join(", ")}: ${states[state]}\n`];
  if (steps.length > 0) {
    lines.push(renderTable(resultColumns, steps.map(resultRow), screen));
  }
  lines.push(...emptyRegions.map((region) => `Region ${region.id} ${formatRange(region)} is made, empty\n`));
  return lines.join("");
}

/** A plan as JSON. */
export function planDocument(plan: RecoveryPlan): Record<string, unknown> {
  return {
    lostStoreIds: plan.lostStoreIds.map(Number),
    createEmpty: plan.createEmpty,
    healthyRegionCount: plan.healthyRegionCount,
    steps: plan.steps.map(stepDocument),
    lostRanges: plan.lostRanges.map((range) => ({ range: formatRange(range), reason: range.reason })),
    waiting: plan.waiting.map(({ regionId, reason }) => ({ regionId: Number(regionId), reason })),
    fingerprint: plan.fingerprint,
  };
}

/** A recovery as JSON. */
export function recoveryDocument(recovery: Recovery): Record<string, unknown> {
  return {
    id: Number(recovery.id),
    state: states[recovery.state],
    lostStoreIds: recovery.lostStoreIds.map(Number),
    steps: recovery.steps.map(stepDocument),
    lostRanges: recovery.lostRanges.map((range) => ({ range: formatRange(range), reason: range.reason })),
    emptyRegions: recovery.emptyRegions.map((region) => ({
      id: Number(region.id),
      range: formatRange(region),
    })),
    startedMs: Number(recovery.startedMs),
    endedMs: Number(recovery.endedMs),
  };
}

function stepDocument(step: RecoveryStep): Record<string, unknown> {
  const { order, storeId, state, message, lastTerm, lastIndex, appliedIndex } = step;
  return {
    regionId: Number(order?.regionId),
    storeId: Number(storeId),
    peerId: Number(order?.peerId),
    ...{ lastTerm: Number(lastTerm), lastIndex: Number(lastIndex), appliedIndex: Number(appliedIndex) },
    ranges: (order?.pieces ?? []).map(formatRange),
    ...{ isLearner: step.isLearner, dropsUnapplied: step.dropsUnapplied },
    droppedPeerCount: step.droppedPeerCount,
    ...{ state: stepStates[state], message },
  };
}

function planRow(step: RecoveryStep): string[] {
  const { order, storeId, lastTerm, lastIndex } = step;
  const ranges = (order?.pieces ?? []).map(formatRange).join(" and ");
  const last = `${lastIndex} of term ${lastTerm}`;
  return [
    String(order?.regionId),
    String(storeId),
    String(order?.peerId),
    last,
    ranges,
    notesOf(step).join("; "),
  ];
}

function notesOf({
  order,
  isLearner,
  dropsUnapplied,
  droppedPeerCount,
  lastIndex,
  appliedIndex,
}: RecoveryStep): string[] {
  return [
    ...(isLearner ? ["was a learner"] : []),
    ...(order?.endsMerge === true ? ["its merge is given up"] : []),
    ...(dropsUnapplied ? [`missed a split or merge: ${lastIndex - appliedIndex} entries are dropped`] : []),
    ...(droppedPeerCount > 0 ? [`${count(droppedPeerCount, "other peer")} of it removed`] : []),
  ];
}

function resultRow({ order, storeId, state, message }: RecoveryStep): string[] {
  return [String(order?.regionId), String(storeId), stepStates[state] ?? "unknown", message];
}

function count(value: number, what: string): string {
  return `${value} ${what}${value === 1 ? "" : "s"}`;
}
