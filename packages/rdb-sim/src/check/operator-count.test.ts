import { storeId } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { type CountedInfluence, operatorCountProblem } from "./operator-count.ts";

const nothing = { regionCount: 0, leaderCount: 0, sizeBytes: 0, addingCount: 0, removingCount: 0 };

function on(id: number, changed: Partial<CountedInfluence>): CountedInfluence {
  return { storeId: storeId(id), ...nothing, ...changed };
}

describe("an operator counts once", () => {
  test("operators that bring and take a peer each", () => {
    const moves = [on(1, { regionCount: -1, removingCount: 1 }), on(2, { regionCount: 2, addingCount: 2 })];
    expect(operatorCountProblem(2, moves)).toBeUndefined();
    expect(operatorCountProblem(0, [on(1, {}), on(2, {})])).toBeUndefined();
  });

  test("one that counts twice", () => {
    expect(operatorCountProblem(1, [on(1, {}), on(2, { addingCount: 2 })])?.message).toContain("storeId");
    expect(operatorCountProblem(1, [on(1, { removingCount: -1 })])?.name).toBe("an operator counts once");
  });

  test.each([{ regionCount: 1 }, { leaderCount: -1 }, { sizeBytes: 5 }])(
    "one that is gone and counts still: %j",
    (left) => {
      expect(operatorCountProblem(0, [on(1, {}), on(2, left)])?.name).toBe("an operator counts once");
    },
  );
});
