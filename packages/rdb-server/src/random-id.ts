import type { Random } from "@flaredb/rdb-base";

const LOW_BITS = 26;
const HIGH_BITS = 53 - LOW_BITS;

/** A random safe integer >= 1: 53 bits. */
export function randomId(random: Random): number {
  for (;;) {
    const id = random.nextInt(2 ** HIGH_BITS) * 2 ** LOW_BITS + random.nextInt(2 ** LOW_BITS);
    if (id > 0) {
      return id;
    }
  }
}
