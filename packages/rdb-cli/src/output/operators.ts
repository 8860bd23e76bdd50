import { type Operator, OperatorState } from "@flaredb/rdb-proto";
import { operatorStateName } from "../operator-json.ts";
import { formatElapsed } from "./progress-line.ts";
import { type Column, type Screen, renderFields, renderTable } from "./table.ts";
import { formatDuration } from "./text.ts";

interface TableOptions extends Screen {
  /** The wall clock. */
  readonly nowMs: number;
}

const common: readonly Column[] = [
  { title: "OPERATOR", align: "right" },
  { title: "REGION", align: "right" },
  { title: "KIND" },
  { title: "BY" },
];

/** Operators that wait or run, as a table. */
export function renderOperators(operators: readonly Operator[], { nowMs, ...screen }: TableOptions): string {
  const columns = [
    ...common,
    { title: "STATE" },
    { title: "STEP", shrinks: "end" },
    { title: "AGE", align: "right" },
  ] as const;
  const rows = operators.map((operator) => [
    ...commonCells(operator),
    operatorStateName(operator.state),
    stepText(operator),
    formatDuration(nowMs - Number(operator.createdMs)),
  ]);
  return renderTable(columns, rows, screen);
}

/** Operators that ended, as a table. */
export function renderOperatorHistory(
  operators: readonly Operator[],
  { nowMs, ...screen }: TableOptions,
): string {
  const columns = [
    ...common,
    { title: "END", shrinks: "end" },
    { title: "TOOK", align: "right" },
    { title: "ENDED", align: "right" },
  ] as const;
  const rows = operators.map((operator) => [
    ...commonCells(operator),
    operator.state === OperatorState.DONE ? "done" : describeEnd(operator),
    formatElapsed(Number(operator.endedMs - operator.createdMs)),
    `${formatDuration(nowMs - Number(operator.endedMs))} ago`,
  ]);
  return renderTable(columns, rows, screen);
}

/** One operator with its steps. */
export function renderOperator(operator: Operator, nowMs: number): string {
  const ended = operator.endedMs > 0n;
  return renderFields([
    ["operator", String(operator.id)],
    ["kind", `${operator.kind} of Region ${operator.regionId}, by ${operator.origin}`],
    ["why", operator.motive || "not said"],
    ["state", ended ? describeEnd(operator) : operatorStateName(operator.state)],
    ["begun", `${formatDuration(nowMs - Number(operator.createdMs))} ago`],
    ...(ended ? [["took", formatElapsed(Number(operator.endedMs - operator.createdMs))] as const] : []),
    ...operator.steps.map(
      (step, at) => [at === 0 ? "steps" : "", `${stepMark(operator, at)} ${step.text}`] as const,
    ),
  ]).replaceAll(/^:/gm, " ");
}

/** Where an operator is: `step 2 of 4: promote peer 17`. */
export function stepText(operator: Operator): string {
  const step = operator.steps[operator.currentStep];
  return step === undefined ? "" : `${operator.currentStep + 1}/${operator.steps.length} ${step.text}`;
}

/** How an operator ended: `done`, `cancelled: epoch-changed (the Region was split)`. */
export function describeEnd({ state, endReason, endMessage }: Operator): string {
  const name = operatorStateName(state);
  const why = [endReason, endMessage === "" ? "" : `(${endMessage})`].filter((part) => part !== "").join(" ");
  return state === OperatorState.DONE || why === "" ? name : `${name}: ${why}`;
}

function commonCells(operator: Operator): string[] {
  return [String(operator.id), String(operator.regionId), operator.kind, operator.origin];
}

function stepMark({ state, currentStep }: Operator, at: number): string {
  if (at < currentStep || state === OperatorState.DONE) {
    return "[x]";
  }
  return at === currentStep && state === OperatorState.RUNNING ? "[>]" : "[ ]";
}

/** What PD does by itself after what was asked for, with the semicolon before it; it ends the operator's motive. */
export function caveatOf(motive: string): string {
  const at = motive.indexOf("; ");
  return at < 0 ? "" : motive.slice(at);
}
