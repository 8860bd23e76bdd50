import type { Random } from "./random.ts";

/** Repeatable chance: the same seed, the same draws (sfc32, public domain). For tests and the simulator. */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c = 0x9e3779b9;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    for (let i = 0; i < 12; i++) {
      this.#next();
    }
  }

  nextInt(bound: number): number {
    return Math.floor(this.nextFraction() * bound);
  }

  nextFraction(): number {
    return this.#next() / 2 ** 32;
  }

  #next(): number {
    const result = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) >>> 0;
    return result;
  }
}
