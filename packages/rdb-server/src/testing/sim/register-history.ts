/** One call on one key, as its client saw it. A value of undefined: no such key. */
export type RegisterCall = {
  readonly startMs: number;
  /** Infinity: it was never answered, so it may take effect at any later time, or never. */
  readonly endMs: number;
} & (
  | { readonly kind: "read"; readonly value: string | undefined }
  | { readonly kind: "write"; readonly value: string | undefined }
  /** Writes `value` if the key has `expected`; `succeeded` undefined when it was never answered. */
  | {
      readonly kind: "cas";
      readonly expected: string | undefined;
      readonly value: string;
      readonly succeeded: boolean | undefined;
    }
);

/** More states than this are not searched: the history is too tangled to judge. */
const SEARCH_MAX_COUNT = 2_000_000;

/**
 * Whether one key's history is linearizable: there is an order of the calls, each at some moment between its start and
 * its end, in which every answer is right (Wing and Gong's search, with the states remembered that led nowhere).
 *
 * @returns a description of what cannot be ordered, or undefined when all is well
 * @throws Error when the history is too large to search
 */
export function findRegisterViolation(calls: readonly RegisterCall[]): string | undefined {
  const sorted = calls.toSorted((a, b) => a.startMs - b.startMs);
  const search = new RegisterSearch(sorted);
  return search.run() ? undefined : search.describeFailure();
}

class RegisterSearch {
  readonly #calls: readonly RegisterCall[];
  readonly #failed = new Set<string>();
  /** How many calls could be put in order at best. */
  #bestDone: readonly number[] = [];

  constructor(calls: readonly RegisterCall[]) {
    this.#calls = calls;
  }

  run(): boolean {
    return this.#search(0, new Set(), undefined);
  }

  describeFailure(): string {
    const done = new Set(this.#bestDone);
    const stuck = this.#calls.filter(
      (call, place) => !done.has(place) && call.endMs !== Number.POSITIVE_INFINITY,
    );
    const shown = [
      ...this.#bestDone.slice(-5).map((place) => this.#calls[place]),
      "--",
      ...stuck.slice(0, 5),
    ];
    return shown.map((call) => JSON.stringify(call)).join("\n");
  }

  /**
   * @param first every call before this place is done
   * @param done those that are done from there on
   */
  #search(
    first: number,
    done: ReadonlySet<number>,
    value: string | undefined,
    order: readonly number[] = [],
  ): boolean {
    let start = first;
    const rest = new Set(done);
    while (rest.delete(start)) {
      start++;
    }
    const key = `${start}/${[...rest].sort((a, b) => a - b).join()}/${value}`;
    if (this.#failed.has(key)) {
      return false;
    }
    if (order.length > this.#bestDone.length) {
      this.#bestDone = order;
    }
    const candidates = this.#candidates(start, rest);
    if (candidates === "all done") {
      return true;
    }
    for (const place of candidates) {
      const after = applied(this.#calls[place] as RegisterCall, value);
      if (
        after !== "wrong" &&
        this.#search(start, new Set([...rest, place]), after.value, [...order, place])
      ) {
        return true;
      }
    }
    this.#failed.add(key);
    if (this.#failed.size > SEARCH_MAX_COUNT) {
      throw new Error(`a history of ${this.#calls.length} calls is too tangled to be searched`);
    }
    return false;
  }

  /** Calls that may come next: those that began before any call that is not done had ended. */
  #candidates(start: number, done: ReadonlySet<number>): number[] | "all done" {
    let earliestEndMs = Number.POSITIVE_INFINITY;
    const open: number[] = [];
    for (let place = start; place < this.#calls.length; place++) {
      const call = this.#calls[place] as RegisterCall;
      if (call.startMs > earliestEndMs) {
        break;
      }
      if (!done.has(place)) {
        open.push(place);
        earliestEndMs = Math.min(earliestEndMs, call.endMs);
      }
    }
    return earliestEndMs === Number.POSITIVE_INFINITY
      ? "all done"
      : open.filter((place) => (this.#calls[place] as RegisterCall).startMs <= earliestEndMs);
  }
}

function applied(call: RegisterCall, value: string | undefined): { value: string | undefined } | "wrong" {
  switch (call.kind) {
    case "read":
      return call.value === value ? { value } : "wrong";
    case "write":
      return { value: call.value };
    case "cas": {
      const holds = call.expected === value;
      if (call.succeeded !== undefined && call.succeeded !== holds) {
        return "wrong";
      }
      return { value: holds ? call.value : value };
    }
  }
}
