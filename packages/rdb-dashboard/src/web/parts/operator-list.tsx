import type { JSX } from "preact";
import type { Operator } from "../api/gen/types.ts";
import { formatAddress } from "../pure/address.ts";
import { formatAgo, formatSpan } from "../pure/format.ts";
import { Badge, Meter, type Tone } from "./frame.tsx";

const tones: Readonly<Record<Operator["state"], Tone>> = {
  waiting: "plain",
  running: "accent",
  done: "good",
  cancelled: "warn",
  "timed out": "bad",
  unknown: "plain",
};

/** Operators with how far they are, or how they ended, and why they were planned. */
export function OperatorList(props: {
  readonly operators: readonly Operator[];
  readonly empty: string;
  readonly onCancel?: (operator: Operator) => void;
}): JSX.Element {
  if (props.operators.length === 0) {
    return <p class="empty">{props.empty}</p>;
  }
  return (
    <ul class="operators">
      {props.operators.map((operator) => (
        <OperatorRow key={operator.id} operator={operator} onCancel={props.onCancel} />
      ))}
    </ul>
  );
}

function OperatorRow(props: {
  readonly operator: Operator;
  readonly onCancel: ((operator: Operator) => void) | undefined;
}): JSX.Element {
  const { operator, onCancel } = props;
  const { id, kind, origin, regionId, state, steps, currentStep, motive, endReason, endMessage } = operator;
  const isLive = state === "running" || state === "waiting";
  const step = steps[Math.min(currentStep, steps.length - 1)];
  return (
    <li class="operator">
      <div class="operator-head">
        <Badge tone={tones[state]}>{state}</Badge>
        <strong>{kind}</strong>
        <a href={formatAddress(["regions", regionId])}>Region {regionId}</a>
        <span class="soft">by {origin}</span>
        <span class="spring" />
        <span class="soft">{timing(operator)}</span>
        {isLive && onCancel !== undefined ? (
          <button
            type="button"
            class="button"
            onClick={() => onCancel(operator)}
            aria-label={`Cancel operator ${id}: ${kind} of Region ${regionId}`}
          >
            Cancel
          </button>
        ) : null}
      </div>
      {isLive ? (
        <div class="operator-progress">
          <Meter share={steps.length === 0 ? 0 : currentStep / steps.length} />
          <span class="soft">
            step {Math.min(currentStep + 1, steps.length)} of {steps.length}: {step?.text ?? ""}
          </span>
        </div>
      ) : endReason === "" ? null : (
        <p class="soft">
          {endReason}
          {endMessage === "" ? "" : `: ${endMessage}`}
        </p>
      )}
      {motive === "" ? null : <p class="soft">{motive}</p>}
    </li>
  );
}

function timing({ state, createdMs, startedMs, endedMs }: Operator): string {
  const nowMs = Date.now();
  if (state === "waiting") {
    return `waits for ${formatSpan(nowMs - createdMs)}`;
  }
  if (state === "running") {
    return `for ${formatSpan(nowMs - (startedMs || createdMs))}`;
  }
  return `${formatAgo(endedMs, nowMs)}${startedMs === 0 ? "" : `, took ${formatSpan(Math.max(0, endedMs - startedMs))}`}`;
}
