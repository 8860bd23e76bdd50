import type { Case, Sample } from "./cases.ts";

/** Of all rounds of one case, figure by figure. */
export interface Medians extends Case {
  readonly rounds: number;
  readonly opsPerSecond: number;
  readonly rowsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of all rounds together. */
  readonly errorCount: number;
  /** How far the rates of the rounds are apart, as a share of the median. */
  readonly spread: number;
}

/** One row for each case, in the order in which they were first measured. */
export function mediansOf(samples: readonly Sample[]): Medians[] {
  const cases = Map.groupBy(samples, ({ layout, op, clients }) => `${layout}\t${op}\t${clients}`);
  return [...cases.values()].map((rounds) => {
    const { layout, op, clients } = rounds[0] as Sample;
    const of = (figure: (sample: Sample) => number): number => median(rounds.map(figure));
    const rates = rounds.map((sample) => sample.opsPerSecond);
    const opsPerSecond = median(rates);
    return {
      layout,
      op,
      clients,
      rounds: rounds.length,
      opsPerSecond,
      rowsPerSecond: of((sample) => sample.rowsPerSecond),
      p50Ms: of((sample) => sample.p50Ms),
      p99Ms: of((sample) => sample.p99Ms),
      errorCount: rounds.reduce((sum, sample) => sum + sample.errorCount, 0),
      spread: (Math.max(...rates) - Math.min(...rates)) / Math.max(opsPerSecond, Number.MIN_VALUE),
    };
  });
}

/** The figures of one case, if it was measured. */
export function find(all: readonly Medians[], wanted: Case): Medians | undefined {
  return all.find(
    ({ layout, op, clients }) => layout === wanted.layout && op === wanted.op && clients === wanted.clients,
  );
}

/** The middle one, or the mean of the middle two. At least one value. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2;
}
