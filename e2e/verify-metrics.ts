// What scripts/verify-metrics.sh runs last: a real Prometheus beside a playground.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RdbClient } from "@flaredb/rdb-client";
import { type MetricDefinition, metricSections, seriesNames } from "@flaredb/rdb-metrics";
import { parse } from "yaml";
import { freePortBlock, freePorts } from "./free-ports.ts";
import { PrometheusProcess } from "./metrics/prometheus-process.ts";
import { PlaygroundProcess } from "./playground-process.ts";
import { step } from "./step.ts";
import { waitFor } from "./wait.ts";

const WRITES = 2_000;
const SEEN_MAX_MS = 30_000;
/** So long a healthy cluster is watched: longer than what most alerts wait for before they fire. */
const WATCH_MS = 75_000;

const deploy = (name: string): string =>
  fileURLToPath(new URL(`../deploy/observability/${name}`, import.meta.url));

function check(problems: readonly string[]): void {
  if (problems.length > 0) {
    throw new Error(problems.join("\n"));
  }
}

/** What `logs/*.log` of a playground says of where its processes answer over HTTP. */
function httpAddresses(data: string, members: readonly string[]): string[] {
  return members.map((member) => {
    const lines = readFileSync(join(data, "logs", `${member}.log`), "utf8").split("\n");
    const ready = lines.findLast((line) => line.includes('"msg":"ready"'));
    return (JSON.parse(ready ?? "{}") as { httpAddress: string }).httpAddress;
  });
}

async function load(pd: string): Promise<void> {
  const client = await RdbClient.connect({ pd: [pd] });
  const keys = Array.from({ length: WRITES }, (_, at) => `key${at}`);
  await Promise.all(keys.map((key) => client.put(key, "value")));
  await Promise.all(keys.map((key) => client.get(key)));
  await client.get("key0", { readFrom: "follower" });
  client.close();
}

/** The queries of the dashboard and of the alerts, with the dashboard's variables filled in. */
function expressions(): string[] {
  const dashboard = JSON.parse(readFileSync(deploy("grafana-dashboard.json"), "utf8")) as {
    panels: { targets?: { expr: string }[] }[];
  };
  const rules = parse(readFileSync(deploy("alerts.yaml"), "utf8")) as {
    groups: { rules: { expr: string }[] }[];
  };
  return [
    ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...rules.groups.flatMap((group) => group.rules.map(({ expr }) => expr)),
  ].map((expr) => expr.replaceAll("$__rate_interval", "30s").replaceAll(/\$(job|instance)/g, ".*"));
}

/** Those that a healthy cluster may lack. */
function mayBeAbsent({ absentWhen }: MetricDefinition): boolean {
  return absentWhen !== undefined && absentWhen !== "never";
}

async function main(folder: string): Promise<void> {
  const basePort = await freePortBlock(30);
  const [prometheusPort = 0] = await freePorts(1);
  const data = join(folder, "data");
  const playground = new PlaygroundProcess([
    "--base-port",
    String(basePort),
    "--data",
    data,
    "--initial-regions",
    "m",
  ]);
  let prometheus: PrometheusProcess | undefined;
  try {
    await step("start a playground of three Stores", () => playground.ready());
    const pd = httpAddresses(data, ["pd"]);
    const stores = httpAddresses(data, ["store-1", "store-2", "store-3"]);
    const started = new PrometheusProcess({
      ...{ folder, port: prometheusPort, rulesFile: deploy("alerts.yaml") },
      targets: { "flaredb-pd": pd, "flaredb-store": stores },
    });
    prometheus = started;
    await step("start Prometheus", () => started.ready());
    await step("all four processes are up", () =>
      waitFor("four targets", SEEN_MAX_MS, async () => (await started.query("up == 1")).length === 4),
    );
    await step(`${WRITES} puts and gets`, () => load(`127.0.0.1:${basePort}`));
    await step("promtool has nothing against what each process shows", () => lint([...pd, ...stores]));
    await step("every metric of the table is there, with its type and its meaning", () =>
      everyMetric(started),
    );
    await step("what was written and read is counted", () => counted(started));
    await step(`all ${expressions().length} queries of dashboard and alerts are answered`, () =>
      everyQuery(started),
    );
    await step(`no alert fires in ${WATCH_MS / 1000} s`, () => noAlert(started));
  } finally {
    await prometheus?.stop();
    playground.signal("SIGTERM");
    await playground.ended();
  }
}

/** `promtool check metrics` knows Prometheus' own rules of names and units. */
async function lint(addresses: readonly string[]): Promise<void> {
  for (const address of addresses) {
    const text = await (await fetch(`http://${address}/metrics`)).text();
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
      input: text,
      encoding: "utf8",
    });
    check(status === 0 && `${stdout}${stderr}` === "" ? [] : [`${address}: ${stdout}${stderr}`]);
  }
}

async function everyMetric(prometheus: PrometheusProcess): Promise<void> {
  const wanted = metricSections.flatMap(({ metrics }) => metrics);
  await waitFor("all metrics", SEEN_MAX_MS, async () => {
    const seen = await prometheus.metadata();
    check(
      wanted
        .filter(({ name, type, help }) => seen.get(name)?.type !== type || seen.get(name)?.help !== help)
        .map(({ name }) => `${name} is ${JSON.stringify(seen.get(name))}`),
    );
    return true;
  });
  const missing: string[] = [];
  for (const metric of wanted.filter((each) => !mayBeAbsent(each))) {
    for (const series of seriesNames(metric)) {
      const found = await prometheus.query(`count(${series})`);
      if (found.length === 0) {
        missing.push(`${series} has no series`);
      }
    }
  }
  check(missing);
}

async function counted(prometheus: PrometheusProcess): Promise<void> {
  const sums = {
    'sum(flaredb_store_request_latency_seconds_count{kind="put"})': WRITES,
    'sum(flaredb_store_request_latency_seconds_count{kind="get"})': WRITES + 1,
    'sum(flaredb_store_proposals_total{outcome="applied"})': WRITES,
    'sum(flaredb_store_regions{role="leader"})': 2,
    'max(flaredb_pd_stores{state="up"})': 3,
    "sum(flaredb_pd_leader)": 1,
  };
  for (const [expr, least] of Object.entries(sums)) {
    await waitFor(`${expr} >= ${least}`, SEEN_MAX_MS, async () => {
      const [found] = await prometheus.query(expr);
      return Number(found?.value[1] ?? 0) >= least;
    });
  }
}

async function everyQuery(prometheus: PrometheusProcess): Promise<void> {
  const problems: string[] = [];
  for (const expr of expressions()) {
    await prometheus.query(expr).catch((error: unknown) => problems.push(String(error)));
  }
  check(problems);
}

async function noAlert(prometheus: PrometheusProcess): Promise<void> {
  const untilMs = performance.now() + WATCH_MS;
  while (performance.now() < untilMs) {
    const firing = (await prometheus.alerts()).filter(({ state }) => state === "firing");
    check(firing.map(({ name }) => `${name} fires`));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

const folder = mkdtempSync(join(tmpdir(), "flaredb-metrics-"));
try {
  await main(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
