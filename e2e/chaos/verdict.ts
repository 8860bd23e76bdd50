/** What a run has to keep within. */
export const limits = {
  /** The longest gap in the writes of any lane while a majority was up. */
  gapMs: 5_000,
  /** From the moment that a fault begins to be taken away until every lane writes. */
  recoveryMs: 10_000,
} as const;

/** One fault that is over. Times are milliseconds since the run began. */
export interface EndedFault {
  readonly name: string;
  /** The mild one that was on beside it. */
  readonly beside?: string;
  /** What was done to whom. */
  readonly text: string;
  readonly fromMs: number;
  /** When it began to be taken away; the next two count from here. */
  readonly toMs: number;
  /** From then on, until everything that was killed served again. */
  readonly backMs: number;
  /** From then on, until every lane had written; undefined: not before the run gave up. */
  readonly recoveryMs: number | undefined;
  /** The longest gap of any lane until its recovery; what is not promised does not count. */
  readonly gapMs: number;
}

/** Everything that a run found out. */
export interface Findings {
  /** Of the checks of histories and client loops, in words. */
  readonly anomalies: readonly string[];
  /** Acknowledged writes that are missing or wrong, in words. */
  readonly lost: readonly string[];
  /** Regions whose peers are not equal in the end, in words. */
  readonly differing: readonly string[];
  /** Processes that ended though no nemesis asked for it, steps that did not come about. */
  readonly troubles: readonly string[];
  /** Writes of lanes that were not done within a minute. */
  readonly givenUp: readonly string[];
  readonly faults: readonly EndedFault[];
  readonly longestGapMs: number;
  readonly acknowledgedCount: number;
  /** Calls whose histories were checked. */
  readonly checkedCallCount: number;
}

/** One promise, kept or not. */
export interface Judgement {
  readonly what: string;
  readonly found: string;
  readonly isKept: boolean;
}

/**
 * Holds what was found against what is promised.
 *
 * @param timesCount whether gaps, recoveries and writes that took too long are judged: on a machine that others work on they tell more of that. That
 * writes resume at all is.
 */
export function judge(findings: Findings, timesCount = true): Judgement[] {
  const { anomalies, lost, differing, troubles, givenUp, faults, longestGapMs } = findings;
  const { acknowledgedCount, checkedCallCount } = findings;
  const isRecovery = (ms: number): boolean => (timesCount ? ms < limits.recoveryMs : Number.isFinite(ms));
  const recoveries = faults.map(({ recoveryMs }) => recoveryMs ?? Number.POSITIVE_INFINITY);
  const last = recoveries.at(-1) ?? 0;
  const worst = Math.max(0, ...recoveries);
  return [
    {
      what: "anomalies in histories",
      found: `${count(anomalies.length)} in ${count(checkedCallCount)} calls`,
      isKept: anomalies.length === 0 && checkedCallCount > 0,
    },
    {
      what: "acknowledged writes lost",
      found: `${count(lost.length)} of ${count(acknowledgedCount)}`,
      isKept: lost.length === 0 && acknowledgedCount > 0,
    },
    {
      what: "Regions whose peers differ",
      found: count(differing.length),
      isKept: differing.length === 0,
    },
    {
      what: `longest gap in writes while a majority was up (< ${seconds(limits.gapMs)})`,
      found: seconds(longestGapMs),
      isKept: !timesCount || longestGapMs < limits.gapMs,
    },
    {
      what: `recovery after the last fault (< ${seconds(limits.recoveryMs)})`,
      found: seconds(last),
      isKept: isRecovery(last),
    },
    {
      what: `slowest recovery of ${count(faults.length)} faults (< ${seconds(limits.recoveryMs)})`,
      found: seconds(worst),
      isKept: isRecovery(worst),
    },
    {
      what: "writes that were given up after a minute",
      found: count(givenUp.length),
      isKept: !timesCount || givenUp.length === 0,
    },
    {
      what: "ends that no fault asked for, other troubles",
      found: count(troubles.length),
      isKept: troubles.length === 0,
    },
  ];
}

function count(value: number): string {
  return value.toLocaleString("en");
}

function seconds(ms: number): string {
  return Number.isFinite(ms) ? `${(ms / 1000).toFixed(2)} s` : "never";
}
