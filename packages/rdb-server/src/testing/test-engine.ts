import { type Clock, SeededRandom } from "@flaredb/rdb-base";
import { MemoryEngine } from "@flaredb/rdb-storage";

/** An empty engine in memory for a test of one part: what it cannot write fails the test. */
export function testEngine(
  clock: Clock,
  options: { readonly seed?: number; readonly writeDelayMs?: () => number } = {},
): MemoryEngine {
  const { seed = 1, ...others } = options;
  return new MemoryEngine({
    ...others,
    clock,
    random: new SeededRandom(seed),
    onFatal: (error) => {
      throw error;
    },
  });
}
