import { RdbError } from "@flaredb/rdb-base";
import { type Operator, OperatorState } from "@flaredb/rdb-proto";
import { type ExitCode, exitCodes } from "./failure.ts";
import { operatorDocument } from "./operator-json.ts";
import { describeEnd, stepText } from "./output/operators.ts";
import { formatElapsed } from "./output/progress-line.ts";
import { callPdAdmin } from "./pd-caller.ts";
import type { Call } from "./shell.ts";
import { waitFor } from "./wait-for.ts";
import type { WaitOptions } from "./wait-option.ts";

/**
 * Follows an operator that PD has begun to its end and says what happened; with --no-wait only its id.
 *
 * @param happened one sentence without a full stop; the time that it took is added
 * @throws RdbError RDB_OPERATOR_CANCELLED with the reason, when it was cancelled or ran out of time
 */
export async function carryOut(
  call: Call<WaitOptions>,
  begun: Operator | undefined,
  happened: (operator: Operator) => string | Promise<string>,
): Promise<ExitCode> {
  const operator = present(begun);
  if (!call.options.wait) {
    await call.print(operatorDocument(operator), () => `${operator.id}\n`);
    return exitCodes.done;
  }
  const ended = await follow(call, operator);
  if (ended === undefined) {
    return exitCodes.interrupted;
  }
  await call.print(operatorDocument(ended), async () => `${await happened(ended)} (${tookText(ended)})\n`);
  return exitCodes.done;
}

/**
 * Waits for the end of an operator.
 *
 * @returns undefined after Ctrl-C
 * @throws RdbError RDB_OPERATOR_CANCELLED when it did not end well
 */
export async function follow(call: Call<unknown>, operator: Operator): Promise<Operator | undefined> {
  const ended = await waitFor(call, {
    look: async () => {
      const { operator: now } = await callPdAdmin(call.globals, (pd, options) =>
        pd.getOperator({ operatorId: operator.id }, options),
      );
      return lookAt(present(now));
    },
    goesOn:
      `operator ${operator.id} goes on: \`rdb operator watch ${operator.id}\` follows it, ` +
      `\`rdb operator cancel ${operator.id}\` cancels it`,
  });
  return ended === undefined ? undefined : checkEnd(ended.done);
}

/** @throws RdbError RDB_OPERATOR_CANCELLED when the operator did not end well */
function checkEnd(operator: Operator): Operator {
  if (operator.state === OperatorState.DONE) {
    return operator;
  }
  const { id, kind, regionId, endReason } = operator;
  throw new RdbError(
    "RDB_OPERATOR_CANCELLED",
    `operator ${id} (${kind} of Region ${regionId}) was not carried out: ${describeEnd(operator)}`,
    { details: { operatorId: Number(id), regionId: Number(regionId), reason: endReason } },
  );
}

/** Whether it has ended. */
function hasEnded({ state }: Operator): boolean {
  return state !== OperatorState.WAITING && state !== OperatorState.RUNNING;
}

/** How long it took from the wish to the end. */
function tookText(operator: Operator): string {
  return formatElapsed(Number(operator.endedMs - operator.createdMs));
}

/** @throws RdbError RDB_INTERNAL when PD's answer holds no operator */
export function present(operator: Operator | undefined): Operator {
  if (operator === undefined) {
    throw new RdbError("RDB_INTERNAL", "the placement driver answered without an operator");
  }
  return operator;
}

function lookAt(operator: Operator): { done: Operator } | { text: string } {
  if (hasEnded(operator)) {
    return { done: operator };
  }
  const where =
    operator.state === OperatorState.WAITING ? "waits for its place in a Store's limit" : stepText(operator);
  return { text: `operator ${operator.id} (${operator.kind} of Region ${operator.regionId}): ${where}` };
}
