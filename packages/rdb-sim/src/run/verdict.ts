import type { Violation } from "../check/violation.ts";
import type { FaultKind } from "../faults/fault.ts";

/** What a run was like. */
interface RunStats {
  readonly simulatedMs: number;
  readonly eventCount: number;
  readonly faultCounts: Readonly<Partial<Record<FaultKind, number>>>;
  readonly okCallCount: number;
  readonly failedCallCount: number;
  readonly unknownCallCount: number;
  /** Terms that somebody led, of all Regions. */
  readonly electionCount: number;
  /** Snapshots that were installed. */
  readonly snapshotCount: number;
}

/** How the run of one seed ended. */
export interface Verdict {
  readonly seed: number;
  /** Undefined: everything held. */
  readonly violation: Violation | undefined;
  /** The same for every run of the same plan. */
  readonly traceHash: string;
  readonly stats: RunStats;
}
