import type { Random } from "@flaredb/rdb-base";

const WORD_COUNT = 4;
const WORD_VALUES = 2 ** 31;
const WORD_DIGITS = 8;

/** The id of a new trace, as in TraceContext. */
export function randomTraceId(random: Random): string {
  let id = "";
  for (let word = 0; word < WORD_COUNT; word++) {
    // Never 0, which all of it must not be.
    id += (1 + random.nextInt(WORD_VALUES)).toString(16).padStart(WORD_DIGITS, "0");
  }
  return id;
}
