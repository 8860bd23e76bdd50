import type { MetricDefinition } from "./definition.ts";
import { pdTable } from "./pd-table.ts";
import { processTable } from "./process-table.ts";
import { storeTable } from "./store-table.ts";

/** The metrics that one kind of process shows. */
export interface MetricSection {
  readonly title: string;
  readonly metrics: readonly MetricDefinition[];
}

/** Every metric there is, for documents and checks. */
export const metricSections: readonly MetricSection[] = [
  { title: "Every process", metrics: Object.values(processTable) },
  { title: "rdb-server", metrics: Object.values(storeTable) },
  { title: "rdb-pd", metrics: Object.values(pdTable) },
];

/** What Prometheus calls the series of a metric. */
export function seriesNames({ name, type }: MetricDefinition): string[] {
  return type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}
