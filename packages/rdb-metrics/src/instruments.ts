import { assert } from "@flaredb/rdb-base";
import type { MetricDefinition } from "./definition.ts";

/** A number: of a counter it is only added to, of a gauge it is set when somebody asks. */
export class Value {
  value = 0;
}

/**
 * How often something was observed to be how much. Made for the hot path: an observation is a walk over a few bounds and
 * two additions.
 */
export class Histogram {
  readonly bounds: readonly number[];
  /** Observations by bucket; the last is that of infinity. Not cumulative. */
  readonly counts: number[];
  sum = 0;

  /** @param bounds of the buckets, inclusive, rising */
  constructor(bounds: readonly number[]) {
    assert(
      bounds.every((bound, place) => place === 0 || bound > (bounds[place - 1] as number)),
      "the bounds of a histogram rise",
    );
    this.bounds = bounds;
    this.counts = [...bounds, Number.POSITIVE_INFINITY].map(() => 0);
  }

  get count(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** @param times that it was observed at once */
  observe(value: number, times = 1): void {
    const { bounds, counts } = this;
    let place = 0;
    while (place < bounds.length && value > (bounds[place] as number)) {
      place++;
    }
    counts[place] = (counts[place] as number) + times;
    this.sum += value * times;
  }

  /** A time, as clocks give it. */
  observeMs(ms: number, times = 1): void {
    this.observe(ms / 1000, times);
  }
}

/** Series of one metric that open labels may make, at most. What comes after shares the last. */
const OPEN_SERIES_MAX_COUNT = 500;
const OTHER = "other";

/** Values by labels that are found while the process runs. Bounded: what does not fit is counted as `other`. */
export class OpenValues {
  readonly #labels: readonly string[];
  readonly #byKey = new Map<string, { readonly labels: readonly string[]; readonly cell: Value }>();

  /** @param labels their names */
  constructor(labels: readonly string[]) {
    this.#labels = labels;
  }

  /** The value of these labels, in the order of their names. */
  of(...labels: readonly string[]): Value {
    assert(labels.length === this.#labels.length, `a value for each of ${this.#labels.join(", ")}`);
    const known = this.#byKey.get(labels.join("\0"));
    if (known !== undefined) {
      return known.cell;
    }
    const fitting = this.#byKey.size < OPEN_SERIES_MAX_COUNT ? labels : labels.map(() => OTHER);
    const key = fitting.join("\0");
    const found = this.#byKey.get(key) ?? { labels: fitting, cell: new Value() };
    this.#byKey.set(key, found);
    return found.cell;
  }

  /** Forgets every series: what is set next is all there is. */
  clear(): void {
    this.#byKey.clear();
  }

  series(): { readonly labels: readonly string[]; readonly cell: Value }[] {
    return [...this.#byKey.values()];
  }
}

/** What a metric is counted with, by how it is defined. */
type InstrumentOf<Definition> = Definition extends { readonly values: readonly (infer Label)[] }
  ? Definition extends { readonly type: "histogram" }
    ? Readonly<Record<Label & string, Histogram>>
    : Readonly<Record<Label & string, Value>>
  : Definition extends { readonly labels: readonly [] }
    ? Definition extends { readonly type: "histogram" }
      ? Histogram
      : Value
    : OpenValues;

/** The instruments of a table, under the table's own names. */
export type Instruments<Table> = { readonly [Name in keyof Table]: InstrumentOf<Table[Name]> };

/** Every kind of instrument. */
export type Instrument = Value | Histogram | OpenValues | Readonly<Record<string, Value | Histogram>>;

/** Plain numbers for a table of metrics, all zero. Whoever counts with them need not know whether anybody looks. */
export function makeInstruments<Table extends Readonly<Record<string, MetricDefinition>>>(
  table: Table,
): Instruments<Table> {
  const made = Object.entries(table).map(([name, definition]) => [name, makeInstrument(definition)]);
  return Object.fromEntries(made) as Instruments<Table>;
}

function makeInstrument(definition: MetricDefinition): Instrument {
  const { labels, values, buckets } = definition;
  const one = (): Value | Histogram => (buckets === undefined ? new Value() : new Histogram(buckets));
  if (values !== undefined) {
    return Object.fromEntries(values.map((value) => [value, one()]));
  }
  return labels.length === 0 ? one() : new OpenValues(labels);
}
