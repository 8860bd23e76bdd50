import type { MetricDefinition } from "./definition.ts";
import { Histogram, type Instrument, type Instruments, OpenValues, Value } from "./instruments.ts";

/** Prometheus' text format, as HTTP names it. */
export const EXPOSITION_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A part of what a process shows. */
export interface MetricSource {
  /** Its metrics as text, as they are now. */
  render(): Promise<string>;
}

/**
 * A table's instruments as a source.
 *
 * @param refresh sets the gauges, just before they are shown
 */
export function metricSource<Table extends Readonly<Record<string, MetricDefinition>>>(
  table: Table,
  instruments: Instruments<Table>,
  refresh: () => void | Promise<void> = () => {},
): MetricSource {
  return {
    render: async () => {
      await refresh();
      return Object.entries(table)
        .map(([name, definition]) => family(definition, instruments[name] as Instrument))
        .join("");
    },
  };
}

/** The text of a whole process: all sources one after the other. */
export async function renderMetrics(sources: readonly MetricSource[]): Promise<string> {
  return (await Promise.all(sources.map((source) => source.render()))).join("");
}

function family(definition: MetricDefinition, instrument: Instrument): string {
  const { name, type, help } = definition;
  const lines = series(definition, instrument);
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function series({ name, labels, values }: MetricDefinition, instrument: Instrument): string[] {
  if (instrument instanceof Value) {
    return [line(name, "", instrument.value)];
  }
  if (instrument instanceof Histogram) {
    return histogramLines(name, "", instrument);
  }
  if (instrument instanceof OpenValues) {
    return instrument
      .series()
      .map((one) =>
        line(name, labels.map((label, at) => pair(label, one.labels[at] ?? "")).join(), one.cell.value),
      );
  }
  const [label = ""] = labels;
  return (values ?? []).flatMap((value) => {
    const one = instrument[value];
    const text = pair(label, value);
    return one instanceof Histogram ? histogramLines(name, text, one) : [line(name, text, one?.value ?? 0)];
  });
}

function histogramLines(name: string, labels: string, { bounds, counts, sum }: Histogram): string[] {
  let cumulative = 0;
  const buckets = counts.map((count, place) => {
    cumulative += count;
    const bound = pair("le", number(bounds[place] ?? Number.POSITIVE_INFINITY));
    return line(`${name}_bucket`, labels === "" ? bound : `${labels},${bound}`, cumulative);
  });
  return [...buckets, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, cumulative)];
}

function line(name: string, labels: string, value: number): string {
  return `${name}${labels === "" ? "" : `{${labels}}`} ${number(value)}\n`;
}

function pair(label: string, value: string): string {
  return `${label}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

function number(value: number): string {
  return value === Number.POSITIVE_INFINITY ? "+Inf" : String(value);
}

function escapeHelp(help: string): string {
  return help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
