/** A state machine that histories are compared with. Everything in it is pure. */
export interface Model<State, Op> {
  init(): State;
  /** The state after, or undefined when `op` cannot have had its answer in this state. States are never changed. */
  step(state: State, op: Op): State | undefined;
  /** Equal exactly for states that behave the same. */
  hash(state: State): string;
  /**
   * Whether `op` does the same in every state and its answer tells nothing of the state before, as a put does. One
   * that is not blind and leaves a state as it is does so in every state, as a get does.
   */
  isBlind(op: Op): boolean;
  /** Operations of the same text do the same: when they are optional, one stands for the other. */
  kindOf(op: Op): string;
}

/** An operation that was called at `startNs` and answered at `endNs`. */
export interface TimedOp<Op> {
  readonly op: Op;
  readonly startNs: number;
  readonly endNs: number;
  /** Its outcome is unknown: it may be left out, or take effect at any time from its start on. */
  readonly isOptional: boolean;
}

/** Steps that one search may take before it gives up. A history that holds takes a few for each call. */
export const SEARCH_MAX_STEPS = 3_000_000;

/** What the search found. `undecided` is no better than a violation for whoever wants a proof. */
export type Verdict<State, Op> =
  | { readonly kind: "linearizable"; readonly stepCount: number }
  | { readonly kind: "undecided"; readonly stepCount: number }
  | {
      readonly kind: "violation";
      readonly stepCount: number;
      /** The longest order in which the answers are right, as far as the search got, and the state after it. */
      readonly prefix: readonly TimedOp<Op>[];
      readonly state: State;
      /** Answered calls that had to come next, none of which could. */
      readonly stuck: readonly TimedOp<Op>[];
    };

/**
 * Whether there is an order of the operations, each at some moment between its start and its end, in which every
 * answer is right: the search of Wing and Gong (1993), which remembers the configurations that led nowhere (Lowe 2017).
 *
 * Three shortcuts keep it near linear. None of them changes the verdict:
 * - an operation that can come next and leaves the state as it is comes next: moving a read forward breaks nothing;
 * - an optional operation is only tried where the one after it looks at what it did: one whose effect nobody looks at
 *   may be left out as well;
 * - of optional operations that do the same, the one that started first is taken.
 */
export function checkLinearizable<State, Op>(
  model: Model<State, Op>,
  ops: readonly TimedOp<Op>[],
  maxSteps: number = SEARCH_MAX_STEPS,
): Verdict<State, Op> {
  return new Search(model, ops, maxSteps).run();
}

/** One configuration of the search: what was put in order so far, and what may still be tried from here. */
interface Frame<State> {
  readonly state: State;
  /** The place that led here, or -1 at the start. */
  readonly place: number;
  /** Every required operation before it is done. */
  readonly first: number;
  readonly options: readonly number[];
  /** How many of the options were tried. */
  tried: number;
}

class Search<State, Op> {
  readonly #model: Model<State, Op>;
  /** By start: first the required ones, then the optional ones. */
  readonly #ops: readonly TimedOp<Op>[];
  readonly #requiredCount: number;
  readonly #maxSteps: number;
  readonly #done: Uint8Array;
  readonly #kinds: readonly string[];
  readonly #failed = new Set<string>();
  #stack: Frame<State>[] = [];
  #usedOptional: readonly number[] = [];
  #doneCount = 0;
  #stepCount = 0;
  #best: { readonly doneCount: number; readonly places: readonly number[]; readonly state: State };

  constructor(model: Model<State, Op>, ops: readonly TimedOp<Op>[], maxSteps: number) {
    const byStart = ops.toSorted((a, b) => a.startNs - b.startNs || a.endNs - b.endNs);
    const required = byStart.filter((op) => !op.isOptional);
    this.#model = model;
    this.#ops = [...required, ...byStart.filter((op) => op.isOptional)];
    this.#requiredCount = required.length;
    this.#maxSteps = maxSteps;
    this.#done = new Uint8Array(ops.length);
    this.#kinds = this.#ops.map(({ op }) => model.kindOf(op));
    this.#best = { doneCount: -1, places: [], state: model.init() };
  }

  run(): Verdict<State, Op> {
    this.#push(this.#model.init(), -1, 0);
    while (this.#stack.length > 0) {
      if (this.#doneCount === this.#requiredCount) {
        return { kind: "linearizable", stepCount: this.#stepCount };
      }
      if (this.#stepCount >= this.#maxSteps) {
        return { kind: "undecided", stepCount: this.#stepCount };
      }
      const frame = this.#stack.at(-1) as Frame<State>;
      const place = frame.options[frame.tried++];
      if (place === undefined) {
        this.#pop(frame);
      } else {
        this.#try(frame, place);
      }
    }
    return this.#violation();
  }

  #try(frame: Frame<State>, place: number): void {
    this.#stepCount++;
    const { op, isOptional } = this.#op(place);
    const state = this.#model.step(frame.state, op);
    if (state === undefined) {
      return;
    }
    if (!isOptional && !this.#isBlind(place) && this.#hashesEqual(state, frame.state)) {
      // Nothing else need be tried from here.
      frame.tried = frame.options.length;
    }
    this.#mark(place, 1);
    const first = this.#firstUndone(frame.first);
    const name = this.#configuration(state, place, first);
    if (this.#failed.has(name)) {
      this.#mark(place, 0);
      return;
    }
    this.#failed.add(name);
    this.#push(state, place, first);
  }

  #push(state: State, place: number, first: number): void {
    const options = this.#options(first, place >= this.#requiredCount, state);
    this.#stack.push({ state, place, first, options, tried: 0 });
    if (this.#doneCount > this.#best.doneCount) {
      const places = this.#stack.map((frame) => frame.place).filter((known) => known >= 0);
      this.#best = { doneCount: this.#doneCount, places, state };
    }
  }

  #pop(frame: Frame<State>): void {
    this.#stack.pop();
    if (frame.place >= 0) {
      this.#mark(frame.place, 0);
    }
  }

  #mark(place: number, done: 0 | 1): void {
    this.#done[place] = done;
    if (place < this.#requiredCount) {
      this.#doneCount += done === 1 ? 1 : -1;
    } else {
      const used = this.#usedOptional;
      this.#usedOptional =
        done === 1 ? [...used, place].sort((a, b) => a - b) : used.filter((known) => known !== place);
    }
  }

  /**
   * Required operations that may come next: those that began before any that is not done had ended. Then, tried
   * only when those fail, optional ones.
   */
  #options(first: number, afterOptional: boolean, state: State): readonly number[] {
    let endNs = Number.POSITIVE_INFINITY;
    const open: number[] = [];
    for (let place = first; place < this.#requiredCount; place++) {
      const op = this.#op(place);
      if (op.startNs > endNs) {
        break;
      }
      if (this.#done[place] === 0) {
        open.push(place);
        endNs = Math.min(endNs, op.endNs);
      }
    }
    const required = open.filter((place) => this.#op(place).startNs <= endNs);
    const unchanging = afterOptional ? undefined : required.find((place) => this.#leavesAsItIs(place, state));
    if (unchanging !== undefined) {
      return [unchanging];
    }
    const looking = afterOptional ? required.filter((place) => !this.#isBlind(place)) : required;
    return [...looking, ...this.#optional(endNs, afterOptional)];
  }

  #leavesAsItIs(place: number, state: State): boolean {
    if (this.#isBlind(place)) {
      return false;
    }
    const after = this.#model.step(state, this.#op(place).op);
    return after !== undefined && this.#hashesEqual(after, state);
  }

  #hashesEqual(a: State, b: State): boolean {
    return this.#model.hash(a) === this.#model.hash(b);
  }

  #optional(endNs: number, afterOptional: boolean): number[] {
    const kinds = new Set<string>();
    const places: number[] = [];
    for (let place = this.#requiredCount; place < this.#ops.length; place++) {
      if (this.#op(place).startNs > endNs) {
        break;
      }
      const kind = this.#kinds[place] as string;
      const isCandidate = this.#done[place] === 0 && !kinds.has(kind);
      if (isCandidate && !(afterOptional && this.#isBlind(place))) {
        kinds.add(kind);
        places.push(place);
      }
    }
    return places;
  }

  #firstUndone(from: number): number {
    let first = from;
    while (first < this.#requiredCount && this.#done[first] === 1) {
      first++;
    }
    return first;
  }

  /** Names what is done and where that led; exact, so that nothing is ever cut off by a chance equality. */
  #configuration(state: State, place: number, first: number): string {
    const beyond: number[] = [];
    const { endNs } = this.#op(Math.min(first, this.#ops.length - 1));
    for (let at = first + 1; at < this.#requiredCount && this.#op(at).startNs <= endNs; at++) {
      if (this.#done[at] === 1) {
        beyond.push(at);
      }
    }
    const after = place >= this.#requiredCount ? "?" : "";
    return `${first}/${beyond.join()}/${this.#usedOptional.join()}/${after}${this.#model.hash(state)}`;
  }

  #violation(): Verdict<State, Op> {
    const { places, state } = this.#best;
    const done = new Set(places);
    const open = this.#ops.slice(0, this.#requiredCount).filter((_, place) => !done.has(place));
    const endNs = open.reduce((earliest, op) => Math.min(earliest, op.endNs), Number.POSITIVE_INFINITY);
    return {
      kind: "violation",
      stepCount: this.#stepCount,
      prefix: places.map((place) => this.#op(place)),
      state,
      stuck: open.filter((op) => op.startNs <= endNs),
    };
  }

  #isBlind(place: number): boolean {
    return this.#model.isBlind(this.#op(place).op);
  }

  #op(place: number): TimedOp<Op> {
    return this.#ops[place] as TimedOp<Op>;
  }
}
