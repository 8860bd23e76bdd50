import { type Operator, OperatorState } from "@flaredb/rdb-proto";
import { z } from "zod";
import { count, id, timeMs } from "../schemas.ts";

const state = z.enum(["waiting", "running", "done", "cancelled", "timed out", "unknown"]);

const stateNames: Readonly<Record<number, z.output<typeof state>>> = {
  [OperatorState.WAITING]: "waiting",
  [OperatorState.RUNNING]: "running",
  [OperatorState.DONE]: "done",
  [OperatorState.CANCELLED]: "cancelled",
  [OperatorState.TIMED_OUT]: "timed out",
};

export const operatorSchema = z
  .strictObject({
    id,
    kind: z.string().describe("What it is for, as `move-peer`, `split`, `replace-down-peer`."),
    origin: z.string().describe("Who wants it: `admin`, or the name of a checker or scheduler."),
    regionId: id,
    state: state.describe("waiting: for its place in a Store's limit. The last ones are the ways to end."),
    steps: z.array(
      z.strictObject({ kind: z.string(), text: z.string(), startedMs: timeMs, endedMs: timeMs }),
    ),
    currentStep: count.describe("Place in `steps`; their count once all are done."),
    createdMs: timeMs,
    startedMs: timeMs,
    endedMs: timeMs,
    endReason: z
      .string()
      .describe("Of what did not end well: a stable word, as `epoch-changed`, `store-down`, `by-admin`."),
    endMessage: z.string(),
    motive: z.string().describe("Why it was planned, with the figures that spoke for it."),
  })
  .meta({
    id: "Operator",
    description: "A change of one Region in steps, as `rdb operator show --json` has it.",
  });

/** As the command line's `--json`. */
export function operatorDocument(operator: Operator | undefined): z.output<typeof operatorSchema> {
  return {
    id: Number(operator?.id ?? 0n),
    kind: operator?.kind ?? "",
    origin: operator?.origin ?? "",
    regionId: Number(operator?.regionId ?? 0n),
    state: stateNames[operator?.state ?? OperatorState.UNSPECIFIED] ?? "unknown",
    steps: (operator?.steps ?? []).map(({ kind, text, startedMs, endedMs }) => ({
      ...{ kind, text },
      startedMs: Number(startedMs),
      endedMs: Number(endedMs),
    })),
    currentStep: operator?.currentStep ?? 0,
    createdMs: Number(operator?.createdMs ?? 0n),
    startedMs: Number(operator?.startedMs ?? 0n),
    endedMs: Number(operator?.endedMs ?? 0n),
    endReason: operator?.endReason ?? "",
    endMessage: operator?.endMessage ?? "",
    motive: operator?.motive ?? "",
  };
}
