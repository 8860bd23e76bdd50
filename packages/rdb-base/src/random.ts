/** Chance as the program sees it. Injected, so that the simulator can repeat it. */
export interface Random {
  /** An integer from 0 to `bound` - 1. `bound` is >= 1 and <= 2^31. */
  nextInt(bound: number): number;
  /** A fraction from 0 (inside) to 1 (outside). */
  nextFraction(): number;
}
