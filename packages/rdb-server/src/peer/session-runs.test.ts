import { type Index, SeededRandom, index } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { type RecordPlace, SessionRuns, addSequence } from "./session-runs.ts";

interface Row extends RecordPlace {
  readonly index: Index;
  readonly late: RecordPlace["late"];
}

/** The same by one map, as one would write it without a thought for its cost. */
class Model {
  readonly rows = new Map<number, Row[]>();

  get openCount(): number {
    return [...this.rows.values()].reduce((sum, rows) => sum + rows.length, 0);
  }

  record(sequence: number, row: Row): void {
    this.rows.set(sequence, [...(this.rows.get(sequence) ?? []), row]);
  }

  closeBelow(floor: number): string[] {
    const released: string[] = [];
    for (const [sequence, rows] of this.rows) {
      if (sequence < floor) {
        this.rows.delete(sequence);
        released.push(...rows.map((row) => String(row.index)));
      }
    }
    return released.sort();
  }

  forget(over: Row): void {
    for (const [sequence, rows] of this.rows) {
      const left = rows.filter((row) => row !== over);
      if (left.length === 0) {
        this.rows.delete(sequence);
      } else {
        this.rows.set(sequence, left);
      }
    }
  }
}

test("runs are what single sequences would be, whatever order they come in", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new SeededRandom(seed);
    const runs = new SessionRuns<Row>();
    const model = new Model();
    const rows: Row[] = [];
    let next = 1;
    let floor = 1;
    for (let at = 1; at <= 60; at++) {
      const row: Row = { index: index(at), late: [] };
      rows.push(row);
      const recorded: { first: number; count: number }[] = [];
      for (let count = random.nextInt(6); count >= 0; count--) {
        const isLate = random.nextInt(5) === 0;
        const sequence = isLate ? floor + random.nextInt(next - floor + 1) : next + random.nextInt(2);
        next = Math.max(next, sequence + 1);
        addSequence(recorded, sequence);
        model.record(sequence, row);
      }
      for (const run of recorded) {
        runs.record(run, row);
      }
      if (random.nextInt(3) === 0) {
        floor += random.nextInt(Math.min(8, next - floor + 1));
        const released: string[] = [];
        runs.closeBelow(floor, ({ index: of }, count) =>
          released.push(...Array.from({ length: count }, () => String(of))),
        );
        expect(released.sort()).toEqual(model.closeBelow(floor));
      }
      if (random.nextInt(8) === 0) {
        const over = rows.shift() as Row;
        runs.forgetRun(over);
        for (const { sequence } of over.late) {
          runs.forgetLate(sequence);
        }
        model.forget(over);
      }
      const sequences = Array.from(
        { length: next + 4 - floor },
        (_, place) => Math.max(1, floor - 2) + place,
      );
      expect([runs.openCount, ...sequences.map((sequence) => runs.rowsOf(sequence))]).toEqual([
        model.openCount,
        ...sequences.map((sequence) => model.rows.get(sequence)?.map((one) => one.index)),
      ]);
      expect(sequences.filter((sequence) => runs.hasOpen(sequence, sequence + 2))).toEqual(
        sequences.filter((sequence) => model.rows.has(sequence) || model.rows.has(sequence + 1)),
      );
    }
  }
});
