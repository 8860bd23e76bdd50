/**
 * How a call ended, for whoever made it. `ok`: it was answered. `fail`: it certainly had no effect. `unknown`: it may
 * take effect at any time from its start on, or never.
 */
export type Outcome = "ok" | "fail" | "unknown";

/** What an answer shows: one Region at one of its revisions. Of a write: the revision after it. */
interface Shown {
  readonly regionId: number;
  readonly revision: number;
}

/** A row as an answer showed it. */
export interface SeenRow {
  readonly key: string;
  readonly value: string;
  readonly version: number;
}

/** One write of one key; `value` undefined deletes. */
export interface Mutation {
  readonly key: string;
  readonly value: string | undefined;
}

/** What must hold of a key. */
export type Expectation =
  | { readonly kind: "version"; readonly version: number }
  | { readonly kind: "value"; readonly value: string }
  | { readonly kind: "absent" };

export interface Condition {
  readonly key: string;
  readonly expect: Expectation;
}

/** When, by whom, and how it ended. */
export interface CallFrame {
  /** Who called. One client makes one call at a time, or several names are used. */
  readonly client: string;
  /** Nanoseconds from any start, the same for the whole history; simulated or monotonic. */
  readonly startNs: number;
  /** When the caller knew. For an `unknown` call: when it gave up, which is not when the call took effect. */
  readonly endNs: number;
  readonly outcome: Outcome;
  /** Of an `ok` call, unless the answer was lost on the way to the history. */
  readonly shown?: Shown;
}

/** Reads of named keys: those that were found. */
export interface ReadCall extends CallFrame {
  readonly op: "get" | "batchGet";
  readonly keys: readonly string[];
  readonly rows: readonly SeenRow[];
}

/** One page of a scan: every row of `[from, to)`, and no other. `to` empty: no end. */
export interface ScanCall extends CallFrame {
  readonly op: "scan";
  readonly from: string;
  readonly to: string;
  readonly rows: readonly SeenRow[];
}

/** Writes without a condition, all or none, in this order. Each takes one revision; the last has `shown.revision`. */
export interface WriteCall extends CallFrame {
  readonly op: "put" | "delete" | "batchPut" | "batchDelete";
  readonly mutations: readonly Mutation[];
  /** Of an answered `delete`: whether there was such a key. */
  readonly deleted?: boolean;
}

/** Writes that are done if every condition holds. A delete that is compared with `absent` is no such call: record a get. */
export interface ConditionalCall extends CallFrame {
  readonly op: "cas" | "conditionalBatch";
  readonly conditions: readonly Condition[];
  readonly mutations: readonly Mutation[];
  /** Of an answered call: whether every condition held. */
  readonly succeeded?: boolean;
  /** Of an answered `cas` that did not succeed: the version that it met; 0 when there was no such key. */
  readonly metVersion?: number;
  /** Of an answered `conditionalBatch` that did not succeed: places in `conditions` of those that did not hold. */
  readonly failedConditions?: readonly number[];
}

/** Deletes every key of `[from, to)` of one Region, and takes one revision. `to` empty: no end. */
export interface DeleteRangeCall extends CallFrame {
  readonly op: "deleteRange";
  readonly from: string;
  readonly to: string;
}

/**
 * One call as its client saw it. Each is one request to one Region, so it is atomic: whoever notes a batch over several
 * Regions, or a scan of several pages, notes one call for each; of a batch whose parts are not known, one for each key.
 */
export type Call = ReadCall | ScanCall | WriteCall | ConditionalCall | DeleteRangeCall;

/** Most calls that a history holds: past it, the run is too long to be judged. */
const HISTORY_MAX_COUNT = 1_000_000;

/** Everything that clients did and saw, in the order in which the calls ended. */
export class History {
  readonly #calls: Call[] = [];

  get calls(): readonly Call[] {
    return this.#calls;
  }

  /** @throws Error past {@link HISTORY_MAX_COUNT} */
  note(call: Call): void {
    if (this.#calls.length >= HISTORY_MAX_COUNT) {
      throw new Error(`a history holds at most ${HISTORY_MAX_COUNT} calls: make the run shorter`);
    }
    this.#calls.push(call);
  }

  /** How many calls ended so. */
  count(outcome: Outcome): number {
    return this.#calls.reduce((count, call) => count + (call.outcome === outcome ? 1 : 0), 0);
  }
}

/** Whether a key lies in `[from, to)`. Keys are compared by their UTF-16 units: histories use ASCII. */
export function keyIsBetween(key: string, from: string, to: string): boolean {
  return key >= from && (to === "" || key < to);
}

/** Keys that the call names or showed, each once. What a range covers beyond them is not among them. */
export function keysOf(call: Call): readonly string[] {
  switch (call.op) {
    case "get":
    case "batchGet":
      return [...new Set(call.keys)];
    case "scan":
      return call.rows.map(({ key }) => key);
    case "put":
    case "delete":
    case "batchPut":
    case "batchDelete":
      return [...new Set(call.mutations.map(({ key }) => key))];
    case "cas":
    case "conditionalBatch":
      return [...new Set([...call.conditions, ...call.mutations].map(({ key }) => key))];
    case "deleteRange":
      return [];
  }
}
