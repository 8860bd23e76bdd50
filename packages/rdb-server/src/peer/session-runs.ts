import type { Index } from "@flaredb/rdb-base";

/** Sequences that follow one another. */
export interface SequenceRun {
  readonly first: number;
  readonly count: number;
}

/** Adds a sequence behind those that the runs hold. */
export function addSequence(runs: { readonly first: number; count: number }[], sequence: number): void {
  const last = runs.at(-1);
  if (last !== undefined && sequence === last.first + last.count) {
    last.count++;
  } else {
    runs.push({ first: sequence, count: 1 });
  }
}

/** Where records lie: a row of an entry. */
export interface RecordPlace {
  readonly index: Index;
  /** Those of its records that are kept apart, for when the row goes. */
  readonly late: { readonly runs: { forgetLate(sequence: number): void }; readonly sequence: number }[];
}

interface PlacedRun<Row> {
  first: number;
  count: number;
  readonly row: Row;
  next: PlacedRun<Row> | undefined;
}

/**
 * A client's open records: in which rows each of its sequences is recorded. Sequences nearly always rise from row to
 * row, many at once, and are closed from below: so they are kept as runs in a list, which cost nothing for each write.
 * What came late, or again as a part of a batch, is kept apart.
 */
export class SessionRuns<Row extends RecordPlace> {
  #head: PlacedRun<Row> | undefined;
  #tail: PlacedRun<Row> | undefined;
  /** The greatest sequence that was ever recorded. */
  #maxSequence = 0;
  /** All below it are closed. */
  #floor = 0;
  /** Records of sequences that did not rise. Several of one: oldest first. */
  readonly #late = new Map<number, readonly Row[]>();
  #openCount = 0;

  get openCount(): number {
    return this.#openCount;
  }

  /** Whether any open record has a sequence in [from, to). */
  hasOpen(from: number, to: number): boolean {
    for (let run = this.#head; run !== undefined && run.first < to; run = run.next) {
      if (run.first + run.count > from) {
        return true;
      }
    }
    for (const sequence of this.#late.keys()) {
      if (sequence >= from && sequence < to) {
        return true;
      }
    }
    return false;
  }

  /** Entries whose rows hold records of the sequence, oldest first; undefined: there are none. */
  rowsOf(sequence: number): readonly Index[] | undefined {
    if (sequence > this.#maxSequence) {
      return undefined;
    }
    const late = this.#late.get(sequence) ?? [];
    let run = this.#head;
    while (run !== undefined && run.first + run.count <= sequence) {
      run = run.next;
    }
    const rows = run === undefined || sequence < run.first ? late : [run.row, ...late];
    return rows.length === 0 ? undefined : rows.map((row) => row.index);
  }

  /** A row, which is the newest of all, recorded these sequences. */
  record({ first, count }: SequenceRun, row: Row): void {
    this.#openCount += count;
    if (first > this.#maxSequence) {
      this.#append({ first, count, row, next: undefined });
      this.#maxSequence = first + count - 1;
      return;
    }
    for (let sequence = first; sequence < first + count; sequence++) {
      this.#late.set(sequence, [...(this.#late.get(sequence) ?? []), row]);
      row.late.push({ runs: this, sequence });
      this.#maxSequence = Math.max(this.#maxSequence, sequence);
    }
  }

  /** Forgets all records below the floor; `release` gets their rows, with how many of its records went. */
  closeBelow(floor: number, release: (row: Row, count: number) => void): void {
    for (let run = this.#head; run !== undefined && run.first < floor; run = this.#head) {
      const closed = Math.min(run.count, floor - run.first);
      run.first += closed;
      run.count -= closed;
      if (run.count === 0) {
        this.#dropHead(run);
      }
      this.#openCount -= closed;
      release(run.row, closed);
    }
    this.#closeLateBelow(floor, release);
    this.#floor = floor;
  }

  /** Forgets the run of a row that is over: it is the oldest that holds any record. */
  forgetRun(over: Row): void {
    for (let run = this.#head; run?.row === over; run = this.#head) {
      this.#openCount -= run.count;
      this.#dropHead(run);
    }
  }

  /** Forgets the oldest record of a sequence that is kept apart, if it is open: its row is over. */
  forgetLate(sequence: number): void {
    const rows = this.#late.get(sequence);
    if (rows === undefined) {
      return;
    }
    this.#openCount--;
    if (rows.length === 1) {
      this.#late.delete(sequence);
    } else {
      this.#late.set(sequence, rows.slice(1));
    }
  }

  /** Looks at what is kept apart or at the sequences below the floor, whichever are fewer. */
  #closeLateBelow(floor: number, release: (row: Row, count: number) => void): void {
    if (this.#late.size === 0) {
      return;
    }
    const isSmallStep = floor - this.#floor <= this.#late.size;
    const sequences = isSmallStep ? rangeOf(this.#floor, floor) : this.#late.keys();
    for (const sequence of sequences) {
      const rows = sequence < floor ? this.#late.get(sequence) : undefined;
      if (rows !== undefined) {
        this.#late.delete(sequence);
        this.#openCount -= rows.length;
        for (const row of rows) {
          release(row, 1);
        }
      }
    }
  }

  #append(run: PlacedRun<Row>): void {
    if (this.#tail === undefined) {
      this.#head = run;
    } else {
      this.#tail.next = run;
    }
    this.#tail = run;
  }

  #dropHead(run: PlacedRun<Row>): void {
    this.#head = run.next;
    if (this.#head === undefined) {
      this.#tail = undefined;
    }
  }
}

function* rangeOf(from: number, to: number): Generator<number, void, undefined> {
  for (let sequence = from; sequence < to; sequence++) {
    yield sequence;
  }
}
