import type { FaultCounts, ProcessFaults } from "@flaredb/rdb-sim/process-faults";
import { noFaults } from "@flaredb/rdb-sim/process-faults";
import type { ManagedProcess } from "../managed-process.ts";
import type { ChaosCluster } from "./chaos-cluster.ts";
import type { Fault } from "./nemesis.ts";

/** Processes that are broken from within. */
export interface Within {
  readonly processes: readonly ManagedProcess[];
  readonly faults: Partial<ProcessFaults>;
  readonly text: string;
  /** How what it came to is told, and which of the counts tells it. */
  readonly outcome?: { readonly count: keyof FaultCounts; readonly noun: string };
}

/** Breaks them; in the end those faults are gone, whatever else is wrong with them. */
export async function breakWithin(cluster: ChaosCluster, within: Within): Promise<Fault> {
  const { processes, faults, text, outcome } = within;
  await Promise.all(processes.map((process) => cluster.breakWithin(process, faults)));
  const sound = Object.fromEntries(
    Object.keys(faults).map((name) => [name, noFaults[name as keyof ProcessFaults]]),
  );
  let count = 0;
  const end = async (): Promise<void> => {
    const counts = await Promise.all(processes.map((process) => cluster.breakWithin(process, sound)));
    count = outcome === undefined ? 0 : counts.reduce((sum, each) => sum + (each?.[outcome.count] ?? 0), 0);
  };
  return {
    text,
    end,
    ...(outcome === undefined ? {} : { outcome: () => `${count.toLocaleString("en")} ${outcome.noun}` }),
  };
}
