import { type Random, assert } from "@flaredb/rdb-base";

/**
 * Draws ranks from 1 to `count`, rank `k` with a probability proportional to `1 / k ** exponent`.
 *
 * Rejection-inversion (Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone discrete
 * distributions", 1996): constant time and no table, so a key space of a billion costs what one of ten does.
 */
export class ZipfSampler {
  readonly #count: number;
  readonly #exponent: number;
  readonly #random: Random;
  /** The integral of the hat at the ends of the ranks. */
  readonly #lowest: number;
  readonly #highest: number;
  /** Below this distance to its rank, a draw needs no further look. */
  readonly #squeeze: number;

  /**
   * @param count ranks there are, >= 1
   * @param exponent > 0; 0.99 is what key-value benchmarks commonly take
   */
  constructor(count: number, exponent: number, random: Random) {
    assert(count >= 1 && exponent > 0, "a Zipf distribution has ranks and a positive exponent");
    this.#count = count;
    this.#exponent = exponent;
    this.#random = random;
    this.#lowest = this.#integral(1.5) - 1;
    this.#highest = this.#integral(count + 0.5);
    this.#squeeze = 2 - this.#inverse(this.#integral(2.5) - this.#height(2));
  }

  next(): number {
    for (;;) {
      const area = this.#highest + this.#random.nextFraction() * (this.#lowest - this.#highest);
      const place = this.#inverse(area);
      const rank = Math.min(this.#count, Math.max(1, Math.round(place)));
      if (rank - place <= this.#squeeze || area >= this.#integral(rank + 0.5) - this.#height(rank)) {
        return rank;
      }
    }
  }

  #height(place: number): number {
    return Math.exp(-this.#exponent * Math.log(place));
  }

  /** Of the height, up to a constant: `(place ** (1 - exponent) - 1) / (1 - exponent)`, whole at exponent 1 too. */
  #integral(place: number): number {
    const logarithm = Math.log(place);
    return growth((1 - this.#exponent) * logarithm) * logarithm;
  }

  #inverse(area: number): number {
    // Rounding may bring the argument below what the logarithm takes.
    const argument = Math.max(-1, area * (1 - this.#exponent));
    return Math.exp(logGrowth(argument) * area);
  }
}

const NEAR_ZERO = 1e-8;

/** `(e ** x - 1) / x` */
function growth(x: number): number {
  return Math.abs(x) > NEAR_ZERO ? Math.expm1(x) / x : 1 + x / 2;
}

/** `log(1 + x) / x` */
function logGrowth(x: number): number {
  return Math.abs(x) > NEAR_ZERO ? Math.log1p(x) / x : 1 - x / 2;
}
