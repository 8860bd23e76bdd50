import { assert } from "@flaredb/rdb-base";

/** One number of an exposition. */
export interface Sample {
  /** Of the series, with `_bucket`, `_sum` or `_count` for a histogram's. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric with all its series. */
export interface ParsedMetric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const SAMPLE = /^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? ([^ ]+)$/i;
const LABEL = /([a-z_][a-z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/giy;

/**
 * Reads Prometheus' text format, and accepts nothing else: no sample without its metric's HELP and TYPE before it, no
 * metric twice, no series twice, no histogram whose buckets fall or that lacks its sum.
 */
export function parseExposition(text: string): Map<string, ParsedMetric> {
  assert(text.endsWith("\n"), "an exposition ends with a line feed");
  const metrics = new Map<string, ParsedMetric & { samples: Sample[] }>();
  let current: (ParsedMetric & { samples: Sample[] }) | undefined;
  let help: { readonly name: string; readonly text: string } | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const [, keyword, name = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === "HELP") {
      help = { name, text: rest };
    } else if (keyword === "TYPE") {
      assert(help?.name === name && !metrics.has(name), `${name} has one HELP, just before its TYPE`);
      current = { name, type: rest, help: help.text, samples: [] };
      metrics.set(name, current);
    } else {
      const sample = parseSample(line);
      assert(
        current !== undefined && belongs(sample.name, current),
        `${line} belongs to the metric above it`,
      );
      current.samples.push(sample);
    }
  }
  for (const metric of metrics.values()) {
    checkSeries(metric);
  }
  return metrics;
}

function parseSample(line: string): Sample {
  const [, name, labelText = "", value] = SAMPLE.exec(line) ?? [];
  assert(name !== undefined && value !== undefined, `${line} is a sample`);
  const number = value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value);
  assert(!Number.isNaN(number), `${line} has a number`);
  const pairs = [...labelText.matchAll(LABEL)];
  assert(pairs.map(([pair]) => pair).join("") === labelText, `${line} has labels in quotes`);
  return { name, labels: Object.fromEntries(pairs.map(([, key, text]) => [key, text])), value: number };
}

function belongs(series: string, { name, type }: ParsedMetric): boolean {
  return type === "histogram"
    ? [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(series)
    : series === name;
}

function checkSeries({ name, type, samples }: ParsedMetric): void {
  const keys = samples.map((sample) => `${sample.name} ${JSON.stringify(sample.labels)}`);
  assert(new Set(keys).size === keys.length, `${name} has each series once`);
  if (type !== "histogram") {
    return;
  }
  let last = 0;
  for (const sample of samples) {
    if (sample.name === `${name}_bucket`) {
      assert(sample.value >= last, `the buckets of ${name} rise`);
      last = sample.labels["le"] === "+Inf" ? 0 : sample.value;
    }
  }
  const count = (suffix: string): number => samples.filter((sample) => sample.name === name + suffix).length;
  assert(count("_sum") === count("_count") && count("_sum") > 0, `${name} has sum and count`);
}
