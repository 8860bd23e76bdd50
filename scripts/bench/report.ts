import { type Case, type Goal, goals } from "./cases.ts";
import { type CpuCost, type CpuTime, meanTime } from "./cpu-time.ts";
import { type Medians, find } from "./medians.ts";

/** What is written between the marks of the document. */
export interface ReportOptions {
  readonly conditions: readonly (readonly [string, string])[];
  /** Of this machine. */
  readonly cores: number;
  readonly medians: readonly Medians[];
  readonly cpuCosts: readonly CpuCost[];
  readonly seconds: number;
  /** The plot's file, as the document names it. */
  readonly plot: string;
}

/** The generated part of docs/benchmarks.md. */
export function renderReport({ conditions, cores, medians, cpuCosts, seconds, plot }: ReportOptions): string {
  return [
    "## Conditions",
    table(["", ""], conditions, ["left", "left"]),
    howMeasured(medians, seconds),
    "## Goals",
    table(
      ["case", "etcd", "FlareDB", "ratio", "p50 ms (etcd)", "p99 ms (etcd)", "goal", "met"],
      goals.flatMap((goal) => goalRow(goal, medians)),
      ["left", "right", "right", "right", "right", "right", "left", "left"],
    ),
    "## Latency against load",
    `![Latency against load of put and get, etcd and FlareDB](${plot})`,
    "A closed loop with more and more clients: each point is one number of clients.",
    "## Processor time of one call",
    "Microseconds of each process at 256 clients, the means of all rounds; `worker` reads and writes the database, `V8` collects garbage and compiles. `all` is every process together, and what the cores would make of it if they did nothing else. From runs of their own, at other times than the rates.",
    table(["call", "process", "loop", "worker", "V8", "other", "together"], cpuRows(cpuCosts, cores), [
      "left",
      "left",
      "right",
      "right",
      "right",
      "right",
      "right",
    ]),
    "## All cases",
    table(
      ["case", "calls/s", "rows/s", "p50 ms", "p99 ms", "errors", "rounds apart"],
      medians.map((each) => [
        describe(each),
        count(each.opsPerSecond),
        count(each.rowsPerSecond),
        each.p50Ms.toFixed(2),
        each.p99Ms.toFixed(2),
        count(each.errorCount),
        `${(each.spread * 100).toFixed(0)} %`,
      ]),
      ["left", "right", "right", "right", "right", "right", "right"],
    ),
  ].join("\n\n");
}

function howMeasured(medians: readonly Medians[], seconds: number): string {
  const rounds = Math.max(...medians.map((each) => each.rounds));
  const howOften = `Medians of ${rounds} ${rounds === 1 ? "round" : "rounds"}`;
  const own = `${seconds} s after a second of warm-up, in processes that were under load before for as long as V8 compiles, with Regions that are not split by their load`;
  return medians.some(({ layout }) => layout === "etcd")
    ? `${howOften}, in which etcd and FlareDB take turns. A case of FlareDB's takes ${own}; one of etcd's is as many calls as a short run before it, its warm-up, would make in ${seconds} s.`
    : `${howOften}; each case takes ${own}.`;
}

function goalRow(goal: Goal, medians: readonly Medians[]): string[][] {
  const own = find(medians, goal);
  if (own === undefined) {
    return [];
  }
  const etcd = find(medians, { ...goal, layout: "etcd" });
  const isBulk = own.rowsPerSecond !== own.opsPerSecond;
  const beside = (figure: number, other: number | undefined): string =>
    other === undefined ? figure.toFixed(2) : `${figure.toFixed(2)} (${other.toFixed(2)})`;
  return [
    [
      goal.what,
      etcd === undefined ? "" : `${count(etcd.opsPerSecond)}/s`,
      isBulk ? `${count(own.rowsPerSecond)} rows/s` : `${count(own.opsPerSecond)}/s`,
      etcd === undefined ? "" : `${(own.opsPerSecond / etcd.opsPerSecond).toFixed(2)}x`,
      beside(own.p50Ms, etcd?.p50Ms),
      beside(own.p99Ms, etcd?.p99Ms),
      goal.words,
      goal.isMet(own, etcd) ? "yes" : "no",
    ],
  ];
}

function cpuRows(costs: readonly CpuCost[], cores: number): string[][] {
  return [...Map.groupBy(costs, ({ layout, op }) => `${op}, ${layout}`)].flatMap(([call, ofCall]) => {
    const roles = [...Map.groupBy(ofCall, ({ role }) => role).values()].map((rounds) => ({
      ...(rounds[0] as CpuCost),
      time: meanTime(rounds.map(({ time }) => time)),
    }));
    const all = roles.reduce((sum, { time, processes }) => sum + sumOf(time) * processes, 0);
    const most = `${cores} cores full: ${count((cores * 1e6) / Math.max(all, Number.MIN_VALUE))}/s`;
    return [...roles.map((cost) => cpuRow(call, cost)), [call, "all", most, "", "", "", microseconds(all)]];
  });
}

function cpuRow(call: string, { role, processes, time }: CpuCost): string[] {
  const { loop, worker, V8, other } = time;
  const cells = role === "client" ? ["", "", "", ""] : [loop, worker, V8, other].map(microseconds);
  const name = processes === 1 ? role : `each ${role} of ${processes}`;
  return [call, name, ...cells, microseconds(sumOf(time))];
}

function sumOf({ loop, worker, V8, other }: CpuTime): number {
  return loop + worker + V8 + other;
}

function microseconds(value: number): string {
  return value.toFixed(1);
}

function describe({ layout, op, clients }: Case): string {
  const who = layout === "etcd" ? "etcd" : `FlareDB, ${layout}`;
  return `${who}: ${op}, ${clients} ${clients === 1 ? "client" : "clients"}`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly ("left" | "right")[],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = `|${align.map((each) => (each === "left" ? "---" : "---:")).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}
