import { describe, expect, test } from "vitest";
import { type MetricDefinition, metricSections, seriesNames } from "../../packages/rdb-metrics/src/index.ts";
import { deployText, deployYaml } from "./deploy-files.ts";

const metrics = metricSections.flatMap((section) => section.metrics);
const bySeries = new Map<string, MetricDefinition>(
  metrics.flatMap((metric) => seriesNames(metric).map((series) => [series, metric] as const)),
);

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly action: string };
}

const read = (name: string): string => deployText(`observability/${name}`);
const alerts = (
  deployYaml("observability/alerts.yaml")[0] as { groups: { rules: Alert[] }[] }
).groups.flatMap(({ rules }) => rules);

interface Panel {
  readonly title: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const panels = (JSON.parse(read("grafana-dashboard.json")) as { panels: Panel[] }).panels;
const expressions = [
  ...alerts.map(({ alert, expr }) => ({ of: alert, expr })),
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ of: title, expr }))),
];

const SERIES = /\b((?:flaredb|process|nodejs)_[a-z_]+)\b(?:\{([^}]*)\})?/g;
const MATCHER = /([a-z]+)\s*(=~|!=|=)\s*"([^"]*)"/g;

/** Labels that Prometheus adds. */
const addedLabels = ["job", "instance"];

/** What an expression asks of one metric that the table does not say. */
function problems(expr: string): string[] {
  return [...expr.matchAll(SERIES)].flatMap(([, series = "", matchers = ""]) => {
    const metric = bySeries.get(series);
    if (metric === undefined) {
      return [`${series} is no metric`];
    }
    return [...matchers.matchAll(MATCHER)].flatMap(([, label = "", how, value = ""]) => {
      if (addedLabels.includes(label)) {
        return [];
      }
      const hasLabel = metric.labels.includes(label);
      const isKnown =
        metric.values === undefined ||
        metric.values.some((each) =>
          how === "=~" ? new RegExp(`^(?:${value})$`).test(each) : each === value,
        );
      return hasLabel && isKnown ? [] : [`${series} has no ${label}="${value}"`];
    });
  });
}

describe("deploy/observability", () => {
  test("alerts and dashboard ask only for metrics, labels and values that there are", () => {
    const wrong = expressions.flatMap(({ of, expr }) => problems(expr).map((problem) => `${of}: ${problem}`));
    expect(wrong).toEqual([]);
    expect(expressions.length).toBeGreaterThan(80);
  });

  test("what is not in the table is found", () => {
    expect(
      problems('rate(flaredb_store_sync_latency_seconds[5m]) > flaredb_store_disk_full{state="x"}'),
    ).toEqual([
      "flaredb_store_sync_latency_seconds is no metric",
      'flaredb_store_disk_full has no state="x"',
    ]);
    expect(problems('flaredb_pd_stores{state="gone"}')).toEqual(['flaredb_pd_stores has no state="gone"']);
  });

  test("every alert says how bad it is, what is wrong and what to do", () => {
    for (const { alert, labels, annotations } of alerts) {
      expect(alert).toMatch(/^FlareDb[A-Z][A-Za-z]+$/);
      expect(["page", "ticket"]).toContain(labels.severity);
      expect(annotations.summary.length).toBeGreaterThan(10);
      expect(annotations.action.length).toBeGreaterThan(20);
    }
    const names = alerts.map(({ alert }) => alert);
    expect(new Set(names).size).toBe(names.length);
  });

  test("the README counts the alerts", () => {
    expect(read("README.md")).toContain(`${alerts.length} alerts`);
  });

  test("the alerts' unit tests make up only series that there are", () => {
    const text = read("alerts.test.yaml");
    const series = [...text.matchAll(/series: '([a-z_]+)/g)].map(([, name = ""]) => name);
    expect(series.filter((name) => name !== "up" && !bySeries.has(name))).toEqual([]);
    expect(series.length).toBeGreaterThan(20);
  });

  test("every panel says what it shows, and every metric of a process is in sight or has an alert", () => {
    for (const panel of panels.filter(({ targets }) => targets !== undefined)) {
      expect(panel.description?.length ?? 0).toBeGreaterThan(5);
    }
    const shown = new Set(
      expressions.flatMap(({ expr }) =>
        [...expr.matchAll(SERIES)].map(([, name]) => bySeries.get(name ?? "")?.name),
      ),
    );
    expect(metrics.map(({ name }) => name).filter((name) => !shown.has(name))).toEqual(notShown);
  });

  test("Prometheus scrapes every process of the compose file, and loads the rules", () => {
    const config = deployYaml("observability/prometheus.yaml")[0] as {
      rule_files: string[];
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
    const compose = deployYaml("docker-compose.yaml")[0] as { services: Record<string, unknown> };
    const processes = Object.keys(compose.services).filter((name) => /^(pd|store)-[123]$/.test(name));
    const targets = config.scrape_configs.flatMap(({ static_configs: configs }) =>
      configs.flatMap((each) => each.targets),
    );
    expect(targets.sort()).toEqual(
      processes.map((name) => `${name}:${name.startsWith("pd") ? 7401 : 7420}`).sort(),
    );
    expect(config.rule_files).toEqual(["alerts.yaml"]);
  });
});

/** For people who look closer. */
const notShown: readonly string[] = [
  "flaredb_store_raft_messages_received_total",
  "flaredb_pd_leader_member_id",
];
