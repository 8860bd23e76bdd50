import type { Scheduler } from "@flaredb/rdb-proto";
import { type Column, type Screen, renderTable } from "./table.ts";
import { formatDuration } from "./text.ts";

const columns: readonly Column[] = [
  { title: "NAME" },
  { title: "KIND" },
  { title: "STATE", style: (cell) => (cell === "active" ? undefined : "warn") },
  { title: "RUNNING", align: "right" },
  { title: "DONE", align: "right" },
  { title: "LAST WORD", shrinks: "end" },
];

/** Schedulers and checkers as a table. `nowMs` is the wall clock. */
export function renderSchedulers(
  schedulers: readonly Scheduler[],
  options: Screen & { readonly nowMs: number },
): string {
  const rows = schedulers.map((scheduler) => [
    scheduler.name,
    scheduler.isChecker ? "checker" : "scheduler",
    pauseText(scheduler, options.nowMs),
    String(scheduler.runningCount),
    String(scheduler.doneCount),
    scheduler.lastWord,
  ]);
  return renderTable(columns, rows, options);
}

/** Whether it works: `active`, `paused`, `paused for 9 min`. */
export function pauseText({ isPaused, pausedUntilMs }: Scheduler, nowMs: number): string {
  if (!isPaused) {
    return "active";
  }
  return pausedUntilMs === 0n ? "paused" : `paused for ${formatDuration(Number(pausedUntilMs) - nowMs)}`;
}

/** A scheduler as a document of `--json`. */
export function schedulerDocument(scheduler: Scheduler): Record<string, unknown> {
  const { name, isChecker, isPaused, pausedUntilMs, runningCount, doneCount, lastWord } = scheduler;
  return { name, isChecker, isPaused, pausedUntilMs, runningCount, doneCount, lastWord };
}
