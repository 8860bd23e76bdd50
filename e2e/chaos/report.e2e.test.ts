import { expect, test } from "vitest";
import { plot } from "./plot.ts";
import { type RunRecord, withRun } from "./report.ts";

const fault = { text: "kill -9 of store-1", backMs: 900, gapMs: 0 };
const record: RunRecord = {
  title: "Seed 1.",
  samples: [1, 2, 3].map((second) => ({
    atMs: second * 1_000,
    writesPerSecond: 100 * second,
    callsPerSecond: 10,
  })),
  resources: [1, 3, 2].map((times) => ({
    atMs: times * 1_000,
    storeBytes: times * 100 * 2 ** 20,
    pdBytes: 50 * 2 ** 20,
    ownBytes: 70 * 2 ** 20,
    diskBytes: 0,
  })),
  faults: [
    { ...fault, name: "kill-leader", fromMs: 500, toMs: 1_500, recoveryMs: 300 },
    { ...fault, name: "kill-leader", fromMs: 1_600, toMs: 2_100, recoveryMs: 1_200, gapMs: 700 },
    { ...fault, name: "kill-leader", beside: "slow-network", fromMs: 2_100, toMs: 2_200, recoveryMs: 9_000 },
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
  expect(document).toContain("| kill-leader | 2 | 1.5 s | 0.7 s | 0.9 s | 1.2 s |");
  expect(document).toContain("| freeze-leader | 1 | 0.7 s | 0.0 s | 0.9 s | never |");
  expect(document).toContain("| acknowledged writes lost | 1 of 600 | **broken** |");
  expect(document).toContain("(run.svg)");
});

test("faults with a mild one beside them stand with that, the slowest by themselves, and what was taken", () => {
  const document = withRun("", record, "docs/run.svg");
  expect(document).toContain("| others, with slow-network at once | 1 | 0.1 s | 0.0 s | 0.9 s | 9.0 s |");
  expect(document).toContain("| 0:02 | freeze-leader: kill -9 of store-1 | never |\n| 0:02 | kill-leader");
  expect(document).toContain("| memory of the Store that takes most | 100 | 300 | 200 |");
});

test("the plot has a bar for each fault, a point for each second, and what was taken", () => {
  const svg = plot(record);
  expect(svg.match(/class="fault"/g)).toHaveLength(record.faults.length + 1);
  expect(svg.match(/<polyline/g)).toHaveLength(5);
  expect(/points="([^"]*)"/.exec(svg)?.[1]?.split(" ")).toHaveLength(record.samples.length);
});
