import { median } from "../scale/goals.ts";
import { type SoakSample, together } from "./soak-watch.ts";

/** Parts of equal length into which a run is cut: of an hour, ten minutes each. */
const PART_COUNT = 6;
/** How far the 99th percentile of a part may be from the median of all parts. */
const P99_SPREAD_MAX = 0.2;
/** What of memory may be taken more in the last part than in the second one; in the first one caches fill and V8 compiles. */
const GROWTH_MAX = 0.1;
/** What goes up and down, as data and logs, may be more at its most in the second half than in the first one by this. */
const PEAK_GROWTH_MAX = 0.25;
/** Less than this of a log counts as nothing: it is cut now and then. */
const LOG_ENTRY_FLOOR = 10_000;
/** A run ends amid the calls that are due just then: this share of all. */
const UNSTARTED_MAX_SHARE = 1e-4;

/** One line of what a run came to. */
export interface Judgement {
  readonly what: string;
  readonly found: string;
  readonly goal: string;
  readonly isMet: boolean;
}

/** What a run of the load came to. */
export interface SoakOutcome {
  readonly samples: readonly SoakSample[];
  readonly callCount: number;
  /** Calls that failed, by code. */
  readonly errors: Readonly<Record<string, number>>;
  /** Calls for whose turn the run ended: the cluster fell behind the rate. */
  readonly unstartedCount: number;
}

/** Samples of each part, in their order. */
function partsOf(samples: readonly SoakSample[]): SoakSample[][] {
  const endMs = samples.at(-1)?.atMs ?? 0;
  const parts = Array.from({ length: PART_COUNT }, (): SoakSample[] => []);
  for (const sample of samples) {
    // A sample tells of the time before it.
    const place = Math.ceil((sample.atMs * PART_COUNT) / Math.max(1, endMs)) - 1;
    parts[Math.max(0, place)]?.push(sample);
  }
  return parts;
}

/** Latency, memory, log and disk over the run, each with whether it stayed as it was. */
export function judge({ samples, callCount, errors, unstartedCount }: SoakOutcome): Judgement[] {
  const parts = partsOf(samples);
  const p99s = parts.map((part) => together(part).percentileMs(99));
  const middle = median(p99s);
  const spread = Math.max(...p99s.map((p99) => Math.abs(p99 / middle - 1)));
  const failed = Object.entries(errors).map(([code, count]) => `${count} ${code}`);
  return [
    {
      what: "calls that failed or never began",
      found: `${[...failed, ...(unstartedCount > 0 ? [`${unstartedCount} never began`] : [])].join(", ") || "0"} of ${callCount.toLocaleString("en")}`,
      goal: `0, <= ${UNSTARTED_MAX_SHARE * 100} % never began`,
      isMet: failed.length === 0 && unstartedCount <= callCount * UNSTARTED_MAX_SHARE,
    },
    {
      what: `p99 of each sixth, ms`,
      found: `${p99s.map((p99) => p99.toFixed(1)).join(", ")}: at most ${percent(spread)} from the median`,
      goal: `<= ${percent(P99_SPREAD_MAX)}`,
      isMet: spread <= P99_SPREAD_MAX,
    },
    growth("resident memory of a Store, MiB", parts, ({ storeBytes }) => storeBytes / 2 ** 20),
    growth("resident memory of PD, MiB", parts, ({ pdBytes }) => pdBytes / 2 ** 20),
    peaks("data of a Store, MiB", parts, ({ diskBytes }) => diskBytes / 2 ** 20),
    peaks("entries in the logs of a Store", parts, ({ logEntryCount }) => logEntryCount, LOG_ENTRY_FLOOR),
  ];
}

function growth(
  what: string,
  parts: readonly (readonly SoakSample[])[],
  of: (sample: SoakSample) => number,
): Judgement {
  const means = parts.map((part) => mean(part.map(of)));
  const grown = (means.at(-1) ?? 0) / Math.max(1, means[1] ?? 0) - 1;
  const most = Math.max(...parts.flat().map(of));
  return {
    what,
    found: `${means.map((each) => each.toFixed(0)).join(", ")}, most ${most.toFixed(0)}: ${grown <= 0 ? "no growth" : `+${percent(grown)}`} from the second to the last`,
    goal: `<= +${percent(GROWTH_MAX)}`,
    isMet: grown <= GROWTH_MAX,
  };
}

function peaks(
  what: string,
  parts: readonly (readonly SoakSample[])[],
  of: (sample: SoakSample) => number,
  floor = 0,
): Judgement {
  const most = parts.map((part) => Math.max(0, ...part.map(of)));
  const half = PART_COUNT / 2;
  const limit = Math.max(floor, Math.max(...most.slice(0, half)) * (1 + PEAK_GROWTH_MAX));
  return {
    what,
    found: `at most ${most.map((each) => each.toFixed(0)).join(", ")}`,
    goal: `second half <= ${limit.toFixed(0)}`,
    isMet: Math.max(...most.slice(half)) <= limit,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
