const FLOAT = new Float64Array(1);
const WORDS = new Uint32Array(FLOAT.buffer);

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

  /** Notes an event at this moment. */
  event(name: string, ...values: readonly TraceValue[]): void {
    const nowMs = this.#nowMs();
    this.#count++;
    this.#mixNumber(nowMs);
    this.#mixText(name);
    for (const value of values) {
      if (typeof value === "number") {
        this.#mixNumber(value);
      } else {
        this.#mixText(value);
      }
    }
    this.#show?.(`${(nowMs / 1_000).toFixed(4).padStart(9)} ${name} ${values.join(" ")}`);
  }

  /** A line that explains, and that the hash does not hold. */
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

  #mixText(text: string): void {
    for (let i = 0; i < text.length; i++) {
      this.#mixWord(text.charCodeAt(i));
    }
    this.#mixWord(text.length);
  }

  /** Two lanes of multiply and rotate, fed the same words. */
  #mixWord(word: number): void {
    const high = Math.imul(this.#high ^ word, 0x01000193);
    this.#high = (high << 7) | (high >>> 25);
    const low = Math.imul(this.#low ^ word, 0xc2b2ae35);
    this.#low = (low << 13) | (low >>> 19);
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
