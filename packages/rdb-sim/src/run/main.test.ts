import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { History } from "../check/history.ts";
import { type Plan, drawPlan } from "../faults/plan.ts";
import { type SimPorts, main } from "./main.ts";
import type { Verdict } from "./verdict.ts";

let folder: string;
let printed: string;
/** Whether the planted bug shows in a run of this plan. */
let isViolated: (plan: Plan) => boolean;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flaredb-sim-"));
  printed = "";
  isViolated = () => false;
});

afterEach(() => rmSync(folder, { recursive: true }));

function verdictOf(plan: Plan): Verdict {
  return {
    seed: plan.seed,
    violation: isViolated(plan) ? { name: "planted", message: "it was planted" } : undefined,
    traceHash: "00112233aabbccdd",
    stats: {
      ...{
        simulatedMs: 36_000,
        eventCount: 10,
        faultCounts: { kill: 2 },
        electionCount: 3,
        snapshotCount: 1,
      },
      ...{ okCallCount: 97, failedCallCount: 1, unknownCallCount: 2 },
    },
  };
}

const ports: SimPorts = {
  print: (text) => {
    printed += `${text}\n`;
  },
  runPlan: (plan, options) => {
    options?.show?.("a line of the trace");
    const history = new History();
    const frame = { client: "c", startNs: 1, endNs: 2, outcome: "ok" } as const;
    history.note({ ...frame, op: "get", keys: ["k"], rows: [] });
    options?.onHistory?.(history);
    return Promise.resolve(verdictOf(plan));
  },
  hunt: ({ firstSeed, seedCount, onVerdict }) => {
    for (let seed = firstSeed; seed < firstSeed + seedCount; seed++) {
      onVerdict(verdictOf(drawPlan(seed)));
    }
    return Promise.resolve();
  },
};

const run = (...argv: string[]): Promise<number> => main(argv, ports);

describe("npm run sim", () => {
  test("exits with 0 when nothing was violated, and sums up", async () => {
    expect(await run("--seeds", "3", "--from", "10")).toBe(0);
    expect(printed).toContain("seeds 10 to 12");
    expect(printed).toContain("3 of 3 seeds");
    expect(printed).toContain("faults 6: kill 6");
    expect(printed).toContain("calls 300: 291 ok, 3 failed, 6 unknown (2.00 %)");
    expect(printed).toContain("simulated 0.03 h: 30 events, 9 elections, 3 snapshots");
  });

  test("exits with 1 when something was, and says how to see it again", async () => {
    isViolated = ({ seed }) => seed === 11;
    expect(await run("--seeds", "3", "--from", "10")).toBe(1);
    expect(printed).toMatch(
      /VIOLATED: planted\nit was planted\nseed 11, commit \S+, trace 00112233aabbccdd\n/,
    );
    expect(printed).toContain("npm run sim -- --seed 11");
    expect(printed).toContain("npm run sim -- --minimise 11");
    expect(printed).toContain("1 violated");
  });

  test("draws the first seed when none is given, and prints it", async () => {
    expect(await run("--seeds", "2")).toBe(0);
    expect(printed).toMatch(/^seeds \d+ to \d+,/);
  });

  test("exits with 2 on a wrong command line, and with 0 after its help", async () => {
    expect(await run("--seed", "x")).toBe(2);
    expect(printed).toContain("error: --seed x must be an integer");
    expect(await run("--plan", join(folder, "none.json"))).toBe(2);
    expect(printed).toContain("holds no plan");
    expect(await run("--help")).toBe(0);
    expect(printed).toContain("Usage: npm run sim");
  });

  test("replays a seed with its trace, or quietly, and keeps its history", async () => {
    const file = join(folder, "history.jsonl");
    expect(await run("--seed", "7", "--history", file)).toBe(0);
    expect(printed).toContain("seed 7: storeCount=");
    expect(printed).toContain("a line of the trace");
    expect(JSON.parse(readFileSync(file, "utf8").split("\n")[0] ?? "")).toMatchObject({
      op: "get",
      client: "c",
    });
    printed = "";
    expect(await run("--seed", "7", "--quiet")).toBe(0);
    expect(printed).not.toContain("a line of the trace");
    isViolated = () => true;
    expect(await run("--seed", "7", "--quiet")).toBe(1);
  });

  test("minimises a seed to a plan that it replays", async () => {
    const { faults } = drawPlan(7);
    const needed = faults[2]?.atMs;
    isViolated = (plan) => plan.faults.some(({ atMs }) => atMs === needed);
    expect(await run("--minimise", "7")).toBe(1);
    const json = printed.trim().split("\n").at(-1) ?? "";
    expect(JSON.parse(json).faults).toMatchObject([{ atMs: needed }]);
    const file = join(folder, "plan.json");
    writeFileSync(file, json);
    expect(await run("--plan", file)).toBe(1);
    expect(printed).toContain("VIOLATED: planted");
  });

  test("has nothing to minimise where nothing is violated", async () => {
    expect(await run("--minimise", "7")).toBe(0);
    expect(printed).toContain("nothing to minimise");
  });
});
