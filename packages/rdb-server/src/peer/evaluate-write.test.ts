import { WritePart, encodeValue } from "@flaredb/rdb-storage";
import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { type KvCommand, SimClock, bytes, kvCommand, text, testEngine } from "../testing/index.ts";
import { ApplyView } from "./apply-view.ts";
import { foldableCommand } from "./commands.ts";
import { type WriteResult, commandReads, evaluateWrite } from "./evaluate-write.ts";

/** One Region's rows, to which entries of writes are applied. */
class Rows {
  readonly engine = testEngine(new SimClock());
  readonly counter = { revision: 0 };

  /** Applies the commands as one entry. */
  apply(...commands: KvCommand[]): WriteResult[] {
    const part = new WritePart();
    const view = new ApplyView(
      this.engine,
      part,
      commands.some((command) => commandReads(write(command))),
    );
    const results = commands.map((command) => evaluateWrite(write(command), view, this.counter, true));
    this.engine.submit(part);
    return results;
  }

  one(command: KvCommand): WriteResult {
    return this.apply(command)[0] as WriteResult;
  }

  get(key: string): string | undefined {
    const view = new ApplyView(this.engine, new WritePart(), false);
    const found = view.get(bytes(key));
    return found && `${text(found.value)}@${found.version}`;
  }
}

function write(command: KvCommand) {
  const foldable = foldableCommand(command);
  if (foldable === undefined) {
    throw new Error(`${command.case} is no write`);
  }
  return foldable;
}

type Expect = { version: bigint } | { value: string } | { absent: true } | undefined;

function expectation(expect: Expect) {
  if (expect === undefined) {
    return {};
  }
  const condition =
    "version" in expect
      ? ({ case: "version", value: expect.version } as const)
      : "value" in expect
        ? ({ case: "value", value: bytes(expect.value) } as const)
        : ({ case: "absent", value: true } as const);
  return { expect: { condition } };
}

const put = (key: string, value: string): KvCommand =>
  kvCommand({ case: "put", value: { key: bytes(key), value: bytes(value) } });
const remove = (key: string): KvCommand => kvCommand({ case: "delete", value: { key: bytes(key) } });
const cas = (key: string, expect: Expect, value: string, returnPrevious = false): KvCommand =>
  kvCommand({
    case: "compareAndSwap",
    value: { key: bytes(key), ...expectation(expect), value: bytes(value), returnPrevious },
  });
const cad = (key: string, expect: Expect, returnPrevious = false): KvCommand =>
  kvCommand({ case: "compareAndDelete", value: { key: bytes(key), ...expectation(expect), returnPrevious } });
const batch = (
  conditions: Record<string, bigint>,
  puts: Record<string, string>,
  deletes: string[] = [],
): KvCommand =>
  kvCommand({
    case: "conditionalBatch",
    value: {
      conditions: Object.entries(conditions).map(([key, version]) => ({ key: bytes(key), version })),
      mutations: [
        ...Object.entries(puts).map(([key, value]) => ({
          operation: { case: "put" as const, value: { key: bytes(key), value: bytes(value) } },
        })),
        ...deletes.map((key) => ({ operation: { case: "delete" as const, value: bytes(key) } })),
      ],
    },
  });

let rows: Rows;

beforeEach(() => {
  rows = new Rows();
});

describe("put, delete and their batches", () => {
  it("give each mutation the next revision for its version", () => {
    expect(rows.one(put("a", "1"))).toMatchObject({ case: "put", value: { version: 1n } });
    const two = kvCommand({
      case: "batchPut",
      value: {
        rows: [
          { key: bytes("b"), value: bytes("2") },
          { key: bytes("c"), value: bytes("3") },
        ],
      },
    });
    expect(rows.one(two)).toMatchObject({ case: "batchPut", value: { version: 3n } });
    expect(["a", "b", "c"].map((key) => rows.get(key))).toEqual(["1@1", "2@2", "3@3"]);
  });

  it("say whether there was something to delete, and take a revision either way", () => {
    rows.one(put("a", "1"));
    expect(rows.one(remove("a"))).toMatchObject({ value: { deleted: true, revision: 2n } });
    expect(rows.one(remove("a"))).toMatchObject({ value: { deleted: false, revision: 3n } });
    rows.one(put("b", "1"));
    const both = kvCommand({ case: "batchDelete", value: { keys: [bytes("a"), bytes("b")] } });
    expect(rows.one(both)).toMatchObject({ value: { deletedCount: 1, revision: 6n } });
    expect(rows.get("b")).toBeUndefined();
  });

  it("let versions rise through delete and re-creation: no version comes twice", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("put", "delete", "cas"), fc.constantFrom("a", "b"))),
        (steps) => {
          const fresh = new Rows();
          const seen = new Map<string, number>();
          for (const [kind, key] of steps) {
            fresh.one(
              kind === "put"
                ? put(key, "x")
                : kind === "delete"
                  ? remove(key)
                  : cas(key, { absent: true }, "y"),
            );
            const version = Number(fresh.get(key)?.split("@")[1] ?? 0);
            if (version !== 0) {
              expect(version).toBeGreaterThanOrEqual(seen.get(key) ?? 0);
              expect(kind === "put" ? version > (seen.get(key) ?? 0) : true).toBe(true);
              seen.set(key, version);
            }
          }
        },
      ),
    );
  });
});

describe("compareAndSwap", () => {
  it("compares the version", () => {
    rows.one(put("a", "1"));
    expect(rows.one(cas("a", { version: 2n }, "x"))).toMatchObject({
      value: { succeeded: false, version: 1n },
    });
    expect(rows.one(cas("a", { version: 1n }, "2"))).toMatchObject({
      value: { succeeded: true, version: 2n },
    });
    expect(rows.one(cas("a", { version: 1n }, "3"))).toMatchObject({
      value: { succeeded: false, version: 2n },
    });
    expect(rows.get("a")).toBe("2@2");
  });

  it("compares the value, also an empty one", () => {
    rows.one(put("a", ""));
    expect(rows.one(cas("a", { value: "x" }, "y"))).toMatchObject({ value: { succeeded: false } });
    expect(rows.one(cas("a", { value: "" }, "y"))).toMatchObject({ value: { succeeded: true } });
    expect(rows.get("a")).toBe("y@2");
  });

  it("compares absence: a deleted key is absent, an empty value is not", () => {
    expect(rows.one(cas("a", { absent: true }, ""))).toMatchObject({
      value: { succeeded: true, version: 1n },
    });
    expect(rows.one(cas("a", { absent: true }, "x"))).toMatchObject({
      value: { succeeded: false, version: 1n },
    });
    rows.one(remove("a"));
    expect(rows.one(cas("a", { absent: true }, "y"))).toMatchObject({
      value: { succeeded: true, version: 3n },
    });
  });

  it("fails on a key that is not there unless absence is expected, and takes no revision", () => {
    expect(rows.one(cas("a", { version: 1n }, "x"))).toMatchObject({
      value: { succeeded: false, version: 0n },
    });
    expect(rows.one(cas("a", { value: "" }, "x"))).toMatchObject({
      value: { succeeded: false, version: 0n },
    });
    expect(rows.counter.revision).toBe(0);
  });

  it("has no ABA: the value that came back has another version", () => {
    rows.one(put("a", "1"));
    rows.one(put("a", "2"));
    rows.one(put("a", "1"));
    expect(rows.one(cas("a", { version: 1n }, "x"))).toMatchObject({ value: { succeeded: false } });
  });

  it("without an expectation always writes", () => {
    expect(rows.one(cas("a", undefined, "1"))).toMatchObject({ value: { succeeded: true, version: 1n } });
  });

  it("gives the row before on request, and only then", () => {
    rows.one(put("a", "1"));
    const wanted = rows.one(cas("a", { version: 1n }, "2", true));
    expect(wanted).toMatchObject({ value: { previous: { value: bytes("1"), version: 1n } } });
    expect(rows.one(cas("a", { version: 9n }, "3", true))).toMatchObject({
      value: { previous: { value: bytes("2") } },
    });
    expect(rows.one(cas("a", { version: 2n }, "3"))).not.toHaveProperty("value.previous");
    expect(rows.one(cas("b", { absent: true }, "1", true))).not.toHaveProperty("value.previous");
  });
});

describe("compareAndDelete", () => {
  it("deletes what it expects, and nothing else", () => {
    rows.one(put("a", "1"));
    expect(rows.one(cad("a", { value: "x" }))).toMatchObject({ value: { succeeded: false, version: 1n } });
    expect(rows.one(cad("a", { value: "1" }, true))).toMatchObject({
      value: { succeeded: true, version: 1n, previous: { value: bytes("1") } },
    });
    expect(rows.get("a")).toBeUndefined();
    expect(rows.counter.revision).toBe(2);
  });

  it("of an absent key succeeds when absence is expected, and takes no revision", () => {
    expect(rows.one(cad("a", { absent: true }))).toMatchObject({ value: { succeeded: true, version: 0n } });
    expect(rows.one(cad("a", { version: 1n }))).toMatchObject({ value: { succeeded: false, version: 0n } });
    expect(rows.counter.revision).toBe(0);
  });
});

describe("a conditional batch", () => {
  it("does all of its mutations when all conditions hold", () => {
    rows.one(put("a", "1"));
    const result = rows.one(batch({ a: 1n, b: 0n }, { b: "2", c: "3" }, ["a"]));
    expect(result).toMatchObject({ value: { succeeded: true, revision: 4n, failedConditions: [] } });
    expect(["a", "b", "c"].map((key) => rows.get(key))).toEqual([undefined, "2@2", "3@3"]);
  });

  it("does none of them when one does not, and names those that did not", () => {
    rows.one(put("a", "1"));
    const result = rows.one(batch({ a: 2n, b: 0n, c: 7n }, { b: "2" }, ["a"]));
    expect(result).toMatchObject({ value: { succeeded: false, revision: 1n, failedConditions: [0, 2] } });
    expect(rows.get("a")).toBe("1@1");
    expect(rows.get("b")).toBeUndefined();
  });

  it("judges all conditions before its own mutations", () => {
    expect(rows.one(batch({ a: 0n }, { a: "1" }))).toMatchObject({ value: { succeeded: true } });
    expect(rows.one(batch({ a: 0n }, { a: "2" }))).toMatchObject({ value: { succeeded: false } });
  });

  it("without conditions always writes; the last write to a key stands", () => {
    rows.one(batch({}, { a: "1" }, ["a"]));
    expect(rows.get("a")).toBeUndefined();
    expect(rows.counter.revision).toBe(2);
  });
});

describe("writes that share an entry", () => {
  it("see each other's effects in order", () => {
    const results = rows.apply(
      put("a", "1"),
      cas("a", { value: "1" }, "2"),
      cas("a", { value: "1" }, "3"),
      remove("a"),
      cas("a", { absent: true }, "4"),
      cad("a", { value: "4" }),
      put("b", "x"),
      batch({ b: 5n }, { c: "y" }),
    );
    expect(results.map((result) => (result.value as { succeeded?: boolean }).succeeded)).toEqual([
      undefined,
      true,
      false,
      undefined,
      true,
      true,
      undefined,
      false,
    ]);
    expect(rows.get("a")).toBeUndefined();
    expect(rows.get("b")).toBe("x@6");
    expect(rows.get("c")).toBeUndefined();
  });

  it("read what earlier entries wrote, written or not", () => {
    const part = new WritePart();
    part.put("data", bytes("a"), encodeValue(5, bytes("old")));
    rows.engine.submit(part);
    rows.counter.revision = 5;
    expect(rows.one(cas("a", { version: 5n }, "new"))).toMatchObject({
      value: { succeeded: true, version: 6n },
    });
  });
});

describe("a write without anybody who waits", () => {
  it("does the same to the rows", () => {
    const quiet = new Rows();
    for (const command of [
      put("a", "1"),
      remove("a"),
      remove("a"),
      cas("b", { absent: true }, "2"),
      cad("b", undefined),
    ]) {
      rows.one(command);
      const part = new WritePart();
      const view = new ApplyView(quiet.engine, part, true);
      evaluateWrite(write(command), view, quiet.counter, false);
      quiet.engine.submit(part);
    }
    expect(quiet.counter).toEqual(rows.counter);
    expect(["a", "b"].map((key) => quiet.get(key))).toEqual(["a", "b"].map((key) => rows.get(key)));
  });
});
