import {
  type Histogram,
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
} from "hdr-histogram-js";

/** Of calls that were answered, milliseconds. */
export interface Percentiles {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

const MICROSECONDS_PER_MS = 1_000;
/** Longer than any deadline of a call; what waited longer still for its turn counts as this. */
const LONGEST_MICROSECONDS = 3_600_000_000;
/** Of every figure, three digits are true. */
const SIGNIFICANT_DIGITS = 3;

/** A histogram of latencies: microseconds to an hour in some 100 KiB, three true digits (HdrHistogram). */
export class Latencies {
  readonly #histogram: Histogram;

  constructor(histogram: Histogram = emptyHistogram()) {
    this.#histogram = histogram;
  }

  /** As {@link encode} made it. */
  static decode(text: string): Latencies {
    const latencies = new Latencies();
    latencies.#histogram.add(decodeFromCompressedBase64(text, 32, false));
    return latencies;
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  record(durationMs: number): void {
    const microseconds = Math.round(durationMs * MICROSECONDS_PER_MS);
    this.#histogram.recordValue(Math.min(LONGEST_MICROSECONDS, Math.max(0, microseconds)));
  }

  add(other: Latencies): void {
    if (other.count > 0) {
      this.#histogram.add(other.#histogram);
    }
  }

  reset(): void {
    this.#histogram.reset();
  }

  /** Milliseconds that `percent` of all calls took at most; 0 when there were none. */
  percentileMs(percent: number): number {
    return this.count === 0 ? 0 : this.#histogram.getValueAtPercentile(percent) / MICROSECONDS_PER_MS;
  }

  percentiles(): Percentiles {
    return {
      p50Ms: this.percentileMs(50),
      p90Ms: this.percentileMs(90),
      p99Ms: this.percentileMs(99),
      p999Ms: this.percentileMs(99.9),
      maxMs: this.percentileMs(100),
    };
  }

  /** Text that {@link decode} takes, for another process. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram);
  }
}

function emptyHistogram(): Histogram {
  return build({
    bitBucketSize: 32,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_MICROSECONDS,
    numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
    useWebAssembly: false,
  });
}
