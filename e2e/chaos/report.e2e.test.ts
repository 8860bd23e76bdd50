import { expect, test } from "vitest";
import { type RunRecord, plot, withRun } from "./report.ts";

const fault = { text: "kill -9 of store-1", backMs: 900, gapMs: 0 };
const record: RunRecord = {
  title: "Seed 1.",
  samples: [1, 2, 3].map((second) => ({
    atMs: second * 1_000,
    writesPerSecond: 100 * second,
    callsPerSecond: 10,
  })),
  faults: [
    { ...fault, name: "kill-leader", fromMs: 500, toMs: 1_500, recoveryMs: 300 },
    { ...fault, name: "kill-leader", fromMs: 1_600, toMs: 2_100, recoveryMs: 1_200 },
    { ...fault, name: "freeze-leader", fromMs: 2_200, toMs: 2_900, recoveryMs: undefined },
  ],
  judgements: [{ what: "acknowledged writes lost", found: "1 of 600", isKept: false }],
};

test("a run replaces the one before it, and leaves the rest of the document alone", () => {
  const document = "# Title\n<!-- run: begin -->\nold\n<!-- run: end -->\nafter\n";
  const once = withRun(document, record, "docs/run.svg");
  expect(once).toMatch(/^# Title\n<!-- run: begin -->\nSeed 1\.\n/);
  expect(once).toMatch(/<!-- run: end -->\nafter\n$/);
  expect(once).not.toContain("old");
  expect(withRun(once, record, "docs/run.svg")).toBe(once);
});

test("faults of a kind are one row, with the worst of them; a broken promise is told", () => {
  const document = withRun("", record, "docs/run.svg");
  expect(document).toContain("| kill-leader | 2 | 1.5 s | 0.9 s | 1.2 s |");
  expect(document).toContain("| freeze-leader | 1 | 0.7 s | 0.9 s | never |");
  expect(document).toContain("| acknowledged writes lost | 1 of 600 | **broken** |");
  expect(document).toContain("(run.svg)");
});

test("the plot has a band for each fault and a point for each second", () => {
  const svg = plot(record);
  expect(svg.match(/fill-opacity/g)).toHaveLength(record.faults.length);
  expect(/points="([^"]*)"/.exec(svg)?.[1]?.split(" ")).toHaveLength(record.samples.length);
});
