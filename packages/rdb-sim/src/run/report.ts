import { HOUR_MS, MINUTE_MS, SECOND_MS } from "@flaredb/rdb-base";
import type { FaultKind } from "../faults/fault.ts";
import type { Verdict } from "./verdict.ts";

/** Adds up the verdicts of many seeds. */
export class Tally {
  readonly #seedCount: number;
  readonly #startedMs: number;
  readonly #faultCounts = new Map<FaultKind, number>();
  readonly violated: Verdict[] = [];
  doneCount = 0;
  #simulatedMs = 0;
  #eventCount = 0;
  #electionCount = 0;
  #snapshotCount = 0;
  readonly #calls = { ok: 0, failed: 0, unknown: 0 };

  /** @param nowMs real time, as in all methods */
  constructor(seedCount: number, nowMs: number) {
    this.#seedCount = seedCount;
    this.#startedMs = nowMs;
  }

  add(verdict: Verdict): void {
    const { stats, violation } = verdict;
    this.doneCount++;
    if (violation !== undefined) {
      this.violated.push(verdict);
    }
    this.#simulatedMs += stats.simulatedMs;
    this.#eventCount += stats.eventCount;
    this.#electionCount += stats.electionCount;
    this.#snapshotCount += stats.snapshotCount;
    this.#calls.ok += stats.okCallCount;
    this.#calls.failed += stats.failedCallCount;
    this.#calls.unknown += stats.unknownCallCount;
    for (const [kind, count] of Object.entries(stats.faultCounts)) {
      this.#faultCounts.set(kind as FaultKind, (this.#faultCounts.get(kind as FaultKind) ?? 0) + count);
    }
  }

  /** Where things stand, in one line. */
  progress(nowMs: number): string {
    const elapsedMs = Math.max(1, nowMs - this.#startedMs);
    const perMinute = (this.doneCount * MINUTE_MS) / elapsedMs;
    return (
      `${this.doneCount} of ${this.#seedCount} seeds, ${perMinute.toFixed(0)} a minute, ` +
      `simulated time runs ${(this.#simulatedMs / elapsedMs).toFixed(0)} times as fast, ` +
      `${this.violated.length} violated`
    );
  }

  /** What was done, when all is over. */
  summary(nowMs: number): string {
    const { ok, failed, unknown } = this.#calls;
    const callCount = ok + failed + unknown;
    const faults = [...this.#faultCounts].sort(([, a], [, b]) => b - a);
    const faultCount = faults.reduce((sum, [, count]) => sum + count, 0);
    return [
      `${this.progress(nowMs)} (${((nowMs - this.#startedMs) / SECOND_MS).toFixed(1)} s)`,
      `simulated ${(this.#simulatedMs / HOUR_MS).toFixed(2)} h: ${this.#eventCount} events, ` +
        `${this.#electionCount} elections, ${this.#snapshotCount} snapshots`,
      `faults ${faultCount}: ${faults.map(([kind, count]) => `${kind} ${count}`).join(", ")}`,
      `calls ${callCount}: ${ok} ok, ${failed} failed, ${unknown} unknown (${percent(unknown, callCount)})`,
    ].join("\n");
  }
}

/**
 * A failure with all that is needed to see it again.
 *
 * @param planFile where its plan is, if that is not the one that its seed draws
 */
export function describeViolation(
  { seed, violation, traceHash }: Verdict,
  commit: string,
  planFile?: string,
): string {
  const commands =
    planFile === undefined
      ? [`replay:   npm run sim -- --seed ${seed}`, `minimise: npm run sim -- --minimise ${seed}`]
      : [`replay:   npm run sim -- --plan ${planFile}`];
  return [
    `VIOLATED: ${violation?.name ?? "nothing"}`,
    violation?.message ?? "",
    `seed ${seed}, commit ${commit}, trace ${traceHash}`,
    ...commands,
  ].join("\n");
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / Math.max(1, whole)).toFixed(2)} %`;
}
