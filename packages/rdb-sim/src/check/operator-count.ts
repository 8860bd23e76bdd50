import type { StoreId } from "@flaredb/rdb-base";
import type { Violation } from "./violation.ts";

/** What the placement driver's operators, all together, are counted as on one Store. */
export interface CountedInfluence {
  readonly storeId: StoreId;
  readonly regionCount: number;
  readonly leaderCount: number;
  readonly sizeBytes: number;
  readonly addingCount: number;
  readonly removingCount: number;
}

/**
 * Whether each operator counts once and no longer than it is there: what is planned next goes by the sum, so that one
 * that is left over keeps Stores uneven for ever.
 *
 * @param activeCount operators that wait or run
 */
export function operatorCountProblem(
  activeCount: number,
  counted: readonly CountedInfluence[],
): Violation | undefined {
  const wrong = counted.find((influence) => isWrong(activeCount, influence));
  return wrong === undefined
    ? undefined
    : {
        name: "an operator counts once",
        message: `${activeCount} operators wait or run, and count as ${JSON.stringify(wrong)}`,
      };
}

function isWrong(activeCount: number, influence: CountedInfluence): boolean {
  const { regionCount, leaderCount, sizeBytes, addingCount, removingCount } = influence;
  const isAtRest = [regionCount, leaderCount, sizeBytes].every((count) => count === 0);
  // An operator brings at most one peer to a Store, and takes at most one away.
  const isBounded = [addingCount, removingCount].every((count) => count >= 0 && count <= activeCount);
  return !isBounded || (activeCount === 0 && !isAtRest);
}
