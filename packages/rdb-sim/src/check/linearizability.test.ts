import { SeededRandom } from "@flaredb/rdb-base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cas, get, put, remove, row, unknown } from "../testing/calls.ts";
import { checkKeys } from "./check-keys.ts";
import type { Call } from "./history.ts";
import { operationsByKey } from "./key-operations.ts";
import { type Model, type TimedOp, checkLinearizable } from "./linearizability.ts";
import { type RegisterOp, registerModel } from "./register-model.ts";

/** Tries every order of every subset of the optional operations. */
function bruteForce<State, Op>(model: Model<State, Op>, ops: readonly TimedOp<Op>[]): boolean {
  const search = (state: State, left: readonly TimedOp<Op>[]): boolean => {
    if (left.every(({ isOptional }) => isOptional)) {
      return true;
    }
    return left.some((next) => {
      const others = left.filter((other) => other !== next);
      const mayComeNext = others.every((other) => other.isOptional || other.endNs >= next.startNs);
      const after = mayComeNext ? model.step(state, next.op) : undefined;
      return after !== undefined && search(after, others);
    });
  };
  return search(model.init(), ops);
}

const values = fc.constantFrom("a", "b");
const revisions = fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined });

const patterns = fc.oneof(
  fc.constant({ kind: "absent" } as const),
  fc.constant({ kind: "present" } as const),
  values.map((value) => ({ kind: "value", value }) as const),
  fc.integer({ min: 1, max: 3 }).map((version) => ({ kind: "version", version }) as const),
  fc
    .record({ value: values, version: fc.integer({ min: 1, max: 3 }) })
    .map((seen) => ({ kind: "row", ...seen }) as const),
);

const registerOps: fc.Arbitrary<RegisterOp> = fc
  .record({
    fits: fc.option(fc.tuple(patterns), { nil: undefined }),
    misfits: fc.option(fc.tuple(patterns), { nil: undefined, freq: 5 }),
    revision: revisions,
    write: fc.option(fc.record({ value: fc.option(values, { nil: undefined }), revision: revisions }), {
      nil: undefined,
    }),
  })
  .map(({ fits, misfits, revision, write }) => ({
    ...(fits && { fits }),
    ...(misfits && { misfits }),
    ...(write === undefined && revision !== undefined && { revision }),
    ...(write && {
      write: { value: write.value, ...(write.revision !== undefined && { revision: write.revision }) },
    }),
  }));

const timedOps: fc.Arbitrary<TimedOp<RegisterOp>> = fc
  .record({ op: registerOps, startNs: fc.nat(8), lengthNs: fc.nat(4), isOptional: fc.boolean() })
  .map(({ op, startNs, lengthNs, isOptional }) => ({
    op: isOptional ? withoutAnswer(op) : op,
    startNs,
    endNs: isOptional ? Number.POSITIVE_INFINITY : startNs + lengthNs,
    isOptional,
  }));

/** An unknown call tells no revisions. */
function withoutAnswer({ fits, write }: RegisterOp): RegisterOp {
  return { ...(fits && { fits }), write: { value: write?.value } };
}

describe("the search", () => {
  test("finds what trying every order finds", () => {
    const counts = { linearizable: 0, violation: 0 };
    fc.assert(
      fc.property(fc.array(timedOps, { maxLength: 6 }), (ops) => {
        const { kind } = checkLinearizable(registerModel, ops);
        expect(kind).toBe(bruteForce(registerModel, ops) ? "linearizable" : "violation");
        counts[kind as keyof typeof counts]++;
      }),
      { numRuns: 3_000, seed: 11 },
    );
    // Both occur, or the test would prove nothing.
    expect(Math.min(counts.linearizable, counts.violation)).toBeGreaterThan(200);
  });

  test("finds what trying every order finds, of plain registers with many lost answers", () => {
    const plainOps = fc.oneof(
      fc.option(values, { nil: undefined }).map((value): RegisterOp => ({ write: { value } })),
      values.map((value): RegisterOp => ({ fits: [{ kind: "value", value }] })),
      fc
        .tuple(values, values)
        .map(([value, next]): RegisterOp => ({ fits: [{ kind: "value", value }], write: { value: next } })),
      fc.constant<RegisterOp>({ fits: [{ kind: "absent" }] }),
    );
    const plain = fc
      .record({ op: plainOps, startNs: fc.nat(10), lengthNs: fc.nat(4), isLost: fc.boolean() })
      .map(({ op, startNs, lengthNs, isLost }): TimedOp<RegisterOp> => {
        const isOptional = isLost && op.write !== undefined;
        return { op, startNs, endNs: isOptional ? Number.POSITIVE_INFINITY : startNs + lengthNs, isOptional };
      });
    fc.assert(
      fc.property(fc.array(plain, { minLength: 4, maxLength: 8 }), (ops) => {
        const { kind } = checkLinearizable(registerModel, ops);
        expect(kind).toBe(bruteForce(registerModel, ops) ? "linearizable" : "violation");
      }),
      { numRuns: 3_000, seed: 12 },
    );
  });

  test("goes back when what is lost was used up too early", () => {
    const answered = (op: RegisterOp, startNs: number) => ({
      op,
      startNs,
      endNs: startNs + 1,
      isOptional: false,
    });
    const lost = (value: string) => ({
      ...{ op: { write: { value } }, startNs: 0, endNs: Number.POSITIVE_INFINITY, isOptional: true },
    });
    const ops: TimedOp<RegisterOp>[] = [
      lost("a"),
      lost("b"),
      // Either of them may have been there.
      answered({ fits: [{ kind: "present" }] }, 1),
      answered({ write: { value: "c" } }, 3),
      answered({ fits: [{ kind: "value", value: "c" }] }, 5),
      answered({ fits: [{ kind: "value", value: "a" }] }, 7),
    ];
    expect(checkLinearizable(registerModel, ops).kind).toBe("linearizable");
  });

  test("serves other models too: a queue", () => {
    type QueueOp = { readonly push: number } | { readonly pop: number };
    const queue: Model<readonly number[], QueueOp> = {
      init: () => [],
      step: (state, op) =>
        "push" in op ? [...state, op.push] : state[0] === op.pop ? state.slice(1) : undefined,
      hash: (state) => state.join(),
      isBlind: (op) => "push" in op,
      rankOf: () => undefined,
      kindOf: (op) => JSON.stringify(op),
    };
    const at = (op: QueueOp, startNs: number, endNs: number) => ({ op, startNs, endNs, isOptional: false });
    const pushes = [at({ push: 1 }, 0, 5), at({ push: 2 }, 1, 6)];
    expect(checkLinearizable(queue, [...pushes, at({ pop: 2 }, 7, 8), at({ pop: 1 }, 9, 10)]).kind).toBe(
      "linearizable",
    );
    expect(checkLinearizable(queue, [...pushes, at({ pop: 2 }, 7, 8), at({ pop: 2 }, 9, 10)]).kind).toBe(
      "violation",
    );
  });
});

/** What five clients saw of one register that works, with some answers lost. */
function longHistory(count: number, seed: number, tellsRevisions: boolean): Call[] {
  const random = new SeededRandom(seed);
  const calls: Call[] = [];
  let state: { value: string; version: number } | undefined;
  let revision = 0;
  const freeAt = [0, 0, 0, 0, 0];
  for (let place = 0; place < count; place++) {
    // Each takes effect at 10 * place, and lasts a while around it, within what its client has time for.
    const client = freeAt.findIndex((ns) => ns < 10 * place);
    const from = Math.max((freeAt[client] ?? 0) + 1, 10 * place - random.nextInt(40));
    const to = 10 * place + random.nextInt(40);
    freeAt[client] = to;
    const before = state;
    const kind = random.nextInt(4);
    revision += kind <= 1 ? 1 : 0;
    const when = { from, to, client: `c${client}`, ...(tellsRevisions && { revision }) };
    const seen = before && row("k", before.value, before.version);
    const isLost = random.nextInt(25) === 0;
    const value = `v${place}`;
    switch (kind) {
      case 0:
        state = { value, version: revision };
        calls.push(isLost ? unknown(put("k", value, when)) : put("k", value, when));
        break;
      case 1:
        state = undefined;
        calls.push(isLost ? unknown(remove("k", when)) : remove("k", when, before !== undefined));
        break;
      case 2:
        calls.push(cas("k", { kind: "version", version: revision + 5 }, value, before?.version ?? 0, when));
        break;
      default:
        calls.push(get("k", seen, when));
    }
  }
  return calls;
}

describe("long histories on one key", () => {
  test("5,000 calls are judged in few steps", () => {
    const calls = longHistory(5_000, 1, true);
    const { kind, stepCount } = checkLinearizable(registerModel, operationsByKey(calls).get("k") ?? []);
    expect(kind).toBe("linearizable");
    expect(stepCount).toBeLessThan(5 * calls.length);
  });

  test("a wrong answer among 5,000 and many unknown outcomes is never taken for right", () => {
    const calls = longHistory(5_000, 2, true).map((call, place): Call => {
      const when = { from: call.startNs, to: call.endNs, revision: 2_000 };
      return place === 4_000 ? get("k", row("k", "v1", 1), when) : call;
    });
    const maxSteps = 20_000;
    const { kind } = checkLinearizable(registerModel, operationsByKey(calls).get("k") ?? [], maxSteps);
    expect(["violation", "undecided"]).toContain(kind);
  });

  test("1,000 calls are judged when answers tell no revisions", () => {
    expect(checkKeys(longHistory(1_000, 3, false))).toEqual([]);
  });
});
