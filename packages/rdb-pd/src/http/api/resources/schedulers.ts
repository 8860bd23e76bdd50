import type { Scheduler } from "@flaredb/rdb-proto";
import { z } from "zod";
import { pdLimits } from "../../../limits.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { count, timeMs } from "../schemas.ts";

const NAME_MAX_LENGTH = 64;

const params = z.strictObject({
  name: z
    .string()
    .max(NAME_MAX_LENGTH)
    .regex(/^[a-z][a-z-]*$/, "must be a name as balance-leader"),
});

const schedulerSchema = z
  .strictObject({
    name: z.string(),
    isChecker: z.boolean().describe("It repairs single Regions; not every checker can be paused."),
    isPaused: z.boolean(),
    pausedUntilMs: timeMs.describe("0: until it is resumed."),
    runningCount: count.describe("Operators of it that wait or run."),
    doneCount: count.describe("Operators of it that ended well since PD's start."),
    lastWord: z.string().describe("Why it plans nothing, or what it planned."),
  })
  .meta({ id: "Scheduler", description: "A scheduler or checker, as `rdb scheduler list --json` has it." });

export const schedulerEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/schedulers",
    id: "listSchedulers",
    tag: "schedulers",
    summary: "Schedulers and checkers, what they do and what they last said",
    access: "leader",
    answer: z.strictObject({ schedulers: z.array(schedulerSchema) }).meta({ id: "SchedulerList" }),
    handle: async (_input, { calls }) => {
      const { schedulers } = await calls.admin.listSchedulers({});
      return { schedulers: schedulers.map(schedulerDocument) };
    },
  }),
  endpoint({
    method: "POST",
    path: "/schedulers/{name}/pause",
    id: "pauseScheduler",
    tag: "schedulers",
    summary: "Let a scheduler plan nothing",
    access: "leader",
    refuses: ["RDB_NOT_FOUND", "RDB_INVALID_ARGUMENT"],
    params,
    body: z
      .strictObject({
        durationMs: z
          .int()
          .min(1)
          .max(pdLimits.pauseMaxMs)
          .optional()
          .describe("Default: until it is resumed."),
      })
      .meta({ id: "Pause" }),
    answer: schedulerSchema,
    handle: async ({ params: { name }, body: { durationMs = 0 } }, { calls }) => {
      const { scheduler } = await calls.admin.pauseScheduler({ name, durationMs: BigInt(durationMs) });
      return schedulerDocument(scheduler);
    },
  }),
  endpoint({
    method: "POST",
    path: "/schedulers/{name}/resume",
    id: "resumeScheduler",
    tag: "schedulers",
    summary: "Let a paused scheduler plan again",
    access: "leader",
    refuses: ["RDB_NOT_FOUND", "RDB_INVALID_ARGUMENT"],
    params,
    answer: schedulerSchema,
    handle: async ({ params: { name } }, { calls }) => {
      const { scheduler } = await calls.admin.resumeScheduler({ name });
      return schedulerDocument(scheduler);
    },
  }),
];

/** As the command line's `--json`. */
function schedulerDocument(scheduler: Scheduler | undefined): z.output<typeof schedulerSchema> {
  return {
    name: scheduler?.name ?? "",
    isChecker: scheduler?.isChecker ?? false,
    isPaused: scheduler?.isPaused ?? false,
    pausedUntilMs: Number(scheduler?.pausedUntilMs ?? 0n),
    runningCount: scheduler?.runningCount ?? 0,
    doneCount: Number(scheduler?.doneCount ?? 0n),
    lastWord: scheduler?.lastWord ?? "",
  };
}
