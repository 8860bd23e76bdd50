import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type MetricDefinition, metricSections } from "../packages/rdb-metrics/src/index.ts";
import { root } from "./source-files.ts";

const INTRODUCTION = `# Metrics

Every process answers \`GET /metrics\` on its HTTP port (a Store's 7420, PD's 7401) in Prometheus' text format. Units are
seconds and bytes, as the names say. No label names a Region, a peer or a client: 10,000 Regions make as many series as
one. A ready scrape configuration, alert rules with what to do, and a Grafana dashboard are in
[deploy/observability](../deploy/observability/README.md).

What is counted costs the path of a write less than one part in a hundred: numbers are counted for whole batches where
there are batches, and written down only when somebody asks.

RocksDB's memtables, block cache and levels are not among them: the binding gives no properties of column families.

Written by \`npm run docs:metrics\` from the tables in \`packages/rdb-metrics\`; a test compares the two.
`;

/** docs/metrics.md as the tables make it. */
export function renderMetricDocs(): string {
  const sections = metricSections.map(
    ({ title, metrics }) =>
      `## ${title}\n\n| Metric | Type | Labels | Meaning |\n| --- | --- | --- | --- |\n${metrics.map(row).join("")}`,
  );
  return `${INTRODUCTION}\n${sections.join("\n")}`;
}

function row({ name, type, labels, values, help, absentWhen, buckets }: MetricDefinition): string {
  const labelText =
    values === undefined
      ? labels.map((label) => `\`${label}\``).join(", ")
      : `\`${labels[0]}\`: ${values.map((value) => `\`${value}\``).join(", ")}`;
  const range = buckets === undefined ? "" : ` Buckets from ${buckets[0]} to ${buckets.at(-1)}.`;
  const absent = absentWhen === undefined || absentWhen === "never" ? "" : ` Absent when ${absentWhen}.`;
  return `| \`${name}\` | ${type} | ${labelText} | ${help}${range}${absent} |\n`;
}

if (import.meta.main) {
  writeFileSync(join(root, "docs", "metrics.md"), renderMetricDocs());
}
