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
  /** Its place in every order, when its answer tells: along an order ranks never fall. */
  rankOf(op: Op): number | undefined;
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

/**
 * Steps that one search may take before it gives up. A history that holds takes a few for each call; one that does not
 * takes many when there are many unknown outcomes, whose every use has to be excluded.
 */
export const SEARCH_MAX_STEPS = 300_000;

/** Where a search that found no order got to. */
export interface Impasse<State, Op> {
  /** The longest order in which the answers are right, as far as the search got, and the state after it. */
  readonly prefix: readonly TimedOp<Op>[];
  readonly state: State;
  /** Answered calls of which one had to come next. */
  readonly stuck: readonly TimedOp<Op>[];
}

/** What the search found. `undecided`: nothing within its steps; no better than a violation for who wants a proof. */
export type Verdict<State, Op> =
  | { readonly kind: "linearizable"; readonly stepCount: number }
  | ({ readonly kind: "violation" | "undecided"; readonly stepCount: number } & Impasse<State, Op>);

/**
 * Whether there is an order of the operations, each at some moment between its start and its end, in which every
 * answer is right: the search of Wing and Gong (1993), which remembers the configurations that led nowhere (Lowe 2017).
 *
 * Three shortcuts keep it near linear. None of them changes the verdict:
 * - an operation that can come next and leaves the state as it is comes next: moving a read forward breaks nothing;
 * - an optional operation is only tried where it changes the state and the one after it looks: one whose effect nobody
 *   looks at may be left out as well;
 * - of optional operations that do the same, the one that started first is taken.
 *
 * Answers that tell their rank leave little to search for: nothing comes ahead of a lower rank that is not done.
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
  /** Every required operation of a rank before this place of the ranking is done. */
  readonly firstRanked: number;
  /** What may come next: required operations, and once those have failed, optional ones too. */
  options: readonly number[];
  hasOptional: boolean;
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
  /** Of the optional operations. */
  readonly #kinds: readonly string[];
  readonly #ranks: readonly (number | undefined)[];
  /** Required operations that have a rank, by rank. */
  readonly #ranking: readonly number[];
  /** Where the search has been: for each configuration, the optional operations that were used up on the way. */
  readonly #visited = new Map<string, (readonly number[])[]>();
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
    this.#kinds = this.#ops.slice(required.length).map(({ op }) => model.kindOf(op));
    this.#ranks = required.map(({ op }) => model.rankOf(op));
    this.#ranking = [...this.#ranks.keys()]
      .filter((place) => this.#ranks[place] !== undefined)
      .sort((a, b) => (this.#ranks[a] as number) - (this.#ranks[b] as number));
    this.#best = { doneCount: -1, places: [], state: model.init() };
  }

  run(): Verdict<State, Op> {
    this.#push(this.#model.init(), -1, 0, 0);
    while (this.#stack.length > 0) {
      if (this.#doneCount === this.#requiredCount) {
        return { kind: "linearizable", stepCount: this.#stepCount };
      }
      if (this.#stepCount >= this.#maxSteps) {
        this.#noteBest();
        return { kind: "undecided", stepCount: this.#stepCount, ...this.#impasse() };
      }
      const frame = this.#stack.at(-1) as Frame<State>;
      const place = frame.options[frame.tried];
      if (place !== undefined) {
        frame.tried++;
        this.#try(frame, place);
      } else if (frame.hasOptional) {
        this.#pop(frame);
      } else {
        frame.options = [...frame.options, ...this.#optionalOptions(frame)];
        frame.hasOptional = true;
      }
    }
    return { kind: "violation", stepCount: this.#stepCount, ...this.#impasse() };
  }

  #try(frame: Frame<State>, place: number): void {
    this.#stepCount++;
    const { op, isOptional } = this.#op(place);
    const state = this.#model.step(frame.state, op);
    if (state === undefined) {
      return;
    }
    if (this.#hashesEqual(state, frame.state)) {
      if (isOptional) {
        return;
      }
      if (!this.#isBlind(place)) {
        // Nothing else need be tried from here.
        frame.tried = frame.options.length;
        frame.hasOptional = true;
      }
    }
    this.#mark(place, 1);
    const first = this.#firstUndone(frame.first);
    const name = this.#configuration(state, place, first);
    const before = this.#visited.get(name) ?? [];
    if (before.some((used) => used.every((known) => this.#done[known] === 1))) {
      // Whoever came here with no more used up could go on in every way that is open now, and led nowhere.
      this.#mark(place, 0);
      return;
    }
    this.#visited.set(name, [...before, this.#usedOptional]);
    this.#push(state, place, first, this.#firstUndoneRanked(frame.firstRanked));
  }

  #push(state: State, place: number, first: number, firstRanked: number): void {
    const options = this.#requiredOptions(first, firstRanked, place >= this.#requiredCount);
    this.#stack.push({ state, place, first, firstRanked, options, hasOptional: false, tried: 0 });
  }

  #pop(frame: Frame<State>): void {
    this.#noteBest();
    this.#stack.pop();
    if (frame.place >= 0) {
      this.#mark(frame.place, 0);
    }
  }

  /** Called where the search turns back: no order goes on from here. */
  #noteBest(): void {
    if (this.#doneCount > this.#best.doneCount) {
      // An optional operation at the end explains nothing.
      const last = this.#stack.findLastIndex(({ place }) => place < this.#requiredCount);
      const places = this.#stack.slice(1, last + 1).map(({ place }) => place);
      const { state } = this.#stack[last] as Frame<State>;
      this.#best = { doneCount: this.#doneCount, places, state };
    }
  }

  #mark(place: number, done: 0 | 1): void {
    this.#done[place] = done;
    if (place < this.#requiredCount) {
      this.#doneCount += done === 1 ? 1 : -1;
    } else {
      const used = this.#usedOptional;
      this.#usedOptional = done === 1 ? [...used, place] : used.filter((known) => known !== place);
    }
  }

  /**
   * Required operations that may come next: those that began before any that is not done had ended. Those that look
   * come first, as one of them may decide at once.
   */
  #requiredOptions(first: number, firstRanked: number, afterOptional: boolean): readonly number[] {
    const endNs = this.#earliestEnd(first);
    const nextRanked = this.#ranking[firstRanked];
    const rank = nextRanked === undefined ? undefined : this.#ranks[nextRanked];
    const looking: number[] = [];
    const blind: number[] = [];
    for (let place = first; place < this.#requiredCount && this.#op(place).startNs <= endNs; place++) {
      const ownRank = this.#ranks[place];
      if (this.#done[place] === 0 && (ownRank === undefined || ownRank === rank)) {
        (this.#isBlind(place) ? blind : looking).push(place);
      }
    }
    return afterOptional ? looking : [...looking, ...blind];
  }

  /** When the first of the required operations that are not done ended. */
  #earliestEnd(first: number): number {
    let endNs = Number.POSITIVE_INFINITY;
    for (let place = first; place < this.#requiredCount && this.#op(place).startNs <= endNs; place++) {
      if (this.#done[place] === 0) {
        endNs = Math.min(endNs, this.#op(place).endNs);
      }
    }
    return endNs;
  }

  #hashesEqual(a: State, b: State): boolean {
    return this.#model.hash(a) === this.#model.hash(b);
  }

  #optionalOptions({ first, place: last }: Frame<State>): readonly number[] {
    const endNs = this.#earliestEnd(first);
    const afterOptional = last >= this.#requiredCount;
    const kinds = new Set<string>();
    const places: number[] = [];
    for (let place = this.#requiredCount; place < this.#ops.length; place++) {
      if (this.#op(place).startNs > endNs) {
        break;
      }
      const kind = this.#kinds[place - this.#requiredCount] as string;
      const isCandidate = this.#done[place] === 0 && !kinds.has(kind);
      if (isCandidate && !(afterOptional && this.#isBlind(place))) {
        kinds.add(kind);
        places.push(place);
      }
    }
    return places;
  }

  #firstUndoneRanked(from: number): number {
    let first = from;
    while (first < this.#ranking.length && this.#done[this.#ranking[first] as number] === 1) {
      first++;
    }
    return first;
  }

  #firstUndone(from: number): number {
    let first = from;
    while (first < this.#requiredCount && this.#done[first] === 1) {
      first++;
    }
    return first;
  }

  /** Names what is done of the required and where that led; exact: nothing is cut off by a chance equality. */
  #configuration(state: State, place: number, first: number): string {
    const beyond: number[] = [];
    const { endNs } = this.#op(Math.min(first, this.#ops.length - 1));
    for (let at = first + 1; at < this.#requiredCount && this.#op(at).startNs <= endNs; at++) {
      if (this.#done[at] === 1) {
        beyond.push(at);
      }
    }
    const after = place >= this.#requiredCount ? "?" : "";
    return `${first}/${beyond.join()}/${after}${this.#model.hash(state)}`;
  }

  #impasse(): Impasse<State, Op> {
    const { places, state } = this.#best;
    const done = new Set(places);
    const open = this.#ops.slice(0, this.#requiredCount).filter((_, place) => !done.has(place));
    const endNs = open.reduce((earliest, op) => Math.min(earliest, op.endNs), Number.POSITIVE_INFINITY);
    return {
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
