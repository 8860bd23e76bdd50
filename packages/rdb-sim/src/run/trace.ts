const FLOAT = new Float64Array(1);
const WORDS = new Uint32Array(FLOAT.buffer);

/** Texts whose hash is kept. */
const WORDS_MAX_COUNT = 1_000;

/** What a trace notes of an event, beside its name: who, what, how much. */
export type TraceValue = number | string;

/**
 * Everything that happens in a run, in order: as a hash that two runs of one seed must share, and as lines for people
 * when somebody reads them. The hash costs little; it is not meant to withstand anybody.
 */
export class Trace {
  readonly #nowMs: () => number;
  readonly #show: ((line: string) => void) | undefined;
  #high = 0x9e3779b9;
  #low = 0x85ebca6b;
  #count = 0;
  readonly #words = new Map<string, number>();

  /** @param show gets a line for each event; undefined when nobody reads them */
  constructor(nowMs: () => number, show?: (line: string) => void) {
    this.#nowMs = nowMs;
    this.#show = show;
  }

  /** Whether lines are read: what only they need is then worth to be made. */
  get isShown(): boolean {
    return this.#show !== undefined;
  }

  get eventCount(): number {
    return this.#count;
  }

  /** 16 hexadecimal digits. */
  get hash(): string {
    return hex(this.#high) + hex(this.#low);
  }

  /** Notes an event at this moment, and shows it. */
  event(name: string, ...values: readonly TraceValue[]): void {
    this.note(name, ...values);
    if (this.#show !== undefined) {
      this.remark(`${name} ${values.join(" ")}`);
    }
  }

  /** Notes an event at this moment. */
  note(name: string, ...values: readonly TraceValue[]): void {
    this.#count++;
    this.#mixNumber(this.#nowMs());
    this.#mixText(name);
    for (const value of values) {
      if (typeof value === "number") {
        this.#mixNumber(value);
      } else {
        this.#mixText(value);
      }
    }
  }

  /** Shows a line that the hash does not hold. */
  remark(text: string): void {
    this.#show?.(`${(this.#nowMs() / 1_000).toFixed(4).padStart(9)} ${text}`);
  }

  #mixNumber(value: number): void {
    if (value === (value | 0)) {
      this.#mixWord(value);
    } else {
      FLOAT[0] = value;
      this.#mixWord(WORDS[0] as number);
      this.#mixWord(WORDS[1] as number);
    }
  }

  /** Names come again and again: each is read once. */
  #mixText(text: string): void {
    let word = this.#words.get(text);
    if (word === undefined) {
      word = hashOf(text);
      if (this.#words.size < WORDS_MAX_COUNT) {
        this.#words.set(text, word);
      }
    }
    this.#mixWord(word);
  }

  /** Two lanes of multiply and rotate, fed the same words. */
  #mixWord(word: number): void {
    const high = Math.imul(this.#high ^ word, 0x01000193);
    this.#high = (high << 7) | (high >>> 25);
    const low = Math.imul(this.#low ^ word, 0xc2b2ae35);
    this.#low = (low << 13) | (low >>> 19);
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash;
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
