export { type MetricSource, EXPOSITION_CONTENT_TYPE, metricSource, renderMetrics } from "./exposition.ts";
export { Histogram, type Instruments, OpenValues, Value, makeInstruments } from "./instruments.ts";
export type { MetricDefinition, MetricType, MetricUnit } from "./definition.ts";
export { type MetricSection, metricSections, seriesNames } from "./metric-table.ts";
export { pdTable } from "./pd-table.ts";
export { ProcessMetrics, type ProcessMetricsOptions } from "./process-metrics.ts";
export { messageKinds, refusalReasons, requestKinds, storeTable } from "./store-table.ts";
