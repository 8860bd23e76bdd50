/** What a metric counts in. Base units only: seconds and bytes; `1` is a number of things. */
export type MetricUnit = "seconds" | "bytes" | "1";

export type MetricType = "counter" | "gauge" | "histogram";

/** One metric of the table: what docs/metrics.md says of it, and what its instruments are made from. */
export interface MetricDefinition {
  readonly name: string;
  readonly type: MetricType;
  readonly unit: MetricUnit;
  /** One sentence, for people and for Prometheus' HELP. */
  readonly help: string;
  /** The names of its labels, in their order; none: one series. */
  readonly labels: readonly string[];
  /** All values of its only label; undefined: they are found while the process runs, within a bound. */
  readonly values?: readonly string[];
  /** Upper bounds of a histogram's buckets, rising, without infinity. */
  readonly buckets?: readonly number[];
  /** When a healthy process may show no series of it. */
  readonly absentWhen?: string;
}

type Plain<Type extends MetricType> = MetricDefinition & {
  readonly type: Type;
  readonly labels: readonly [];
};
type Split<Type extends MetricType, Value extends string> = MetricDefinition & {
  readonly type: Type;
  readonly labels: readonly [string];
  readonly values: readonly Value[];
};
type Open<Type extends MetricType> = MetricDefinition & {
  readonly type: Type;
  readonly labels: readonly string[];
  readonly values?: never;
};

/** A number that only rises. */
export function counter(name: string, help: string): Plain<"counter"> {
  return { name, help, type: "counter", unit: unitOf(name), labels: [] };
}

/** A number that only rises, by the values of one label. */
export function counterBy<const Value extends string>(
  name: string,
  help: string,
  label: string,
  values: readonly Value[],
): Split<"counter", Value> {
  return { name, help, type: "counter", unit: unitOf(name), labels: [label], values };
}

/** A number that is looked up when somebody asks. */
export function gauge(name: string, help: string): Plain<"gauge"> {
  return { name, help, type: "gauge", unit: unitOf(name), labels: [] };
}

/** A number that is looked up when somebody asks, by the values of one label. */
export function gaugeBy<const Value extends string>(
  name: string,
  help: string,
  label: string,
  values: readonly Value[],
): Split<"gauge", Value> {
  return { name, help, type: "gauge", unit: unitOf(name), labels: [label], values };
}

/** How often something took how long, or was how large. */
export function histogram(name: string, help: string, buckets: readonly number[]): Plain<"histogram"> {
  return { name, help, type: "histogram", unit: unitOf(name), labels: [], buckets };
}

/** A histogram for each value of one label. */
export function histogramBy<const Value extends string>(
  name: string,
  help: string,
  buckets: readonly number[],
  { label, values }: { readonly label: string; readonly values: readonly Value[] },
): Split<"histogram", Value> {
  return { name, help, type: "histogram", unit: unitOf(name), labels: [label], values, buckets };
}

/** A number by labels whose values are found while the process runs: names of checkers, ids of Stores. */
export function openMetric<const Type extends "counter" | "gauge">(
  type: Type,
  name: string,
  help: string,
  { labels, absentWhen }: { readonly labels: readonly string[]; readonly absentWhen: string },
): Open<Type> {
  return { name, help, type, unit: unitOf(name), labels, absentWhen };
}

/** The same metric, which a healthy process may show no series of. */
export function maybe<Definition extends MetricDefinition>(
  absentWhen: string,
  definition: Definition,
): Definition {
  return { ...definition, absentWhen };
}

/** A metric's name says its unit. */
function unitOf(name: string): MetricUnit {
  const words = name.replace(/_total$/, "").split("_");
  const unit = words.at(-1);
  return unit === "seconds" || unit === "bytes" ? unit : "1";
}
