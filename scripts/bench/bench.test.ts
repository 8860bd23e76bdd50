import { describe, expect, test } from "vitest";
import type { Sample } from "./cases.ts";
import { type CpuCost, NO_TIME, costOf, cpuTimeOf } from "./cpu-time.ts";
import { plotPathOf, replaceGenerated } from "./document.ts";
import { checkEtcdScript, parseBaseline } from "./etcd-side.ts";
import { splitKeys } from "./flaredb-side.ts";
import { busyBetween, fileSystemName } from "./machine.ts";
import { mediansOf } from "./medians.ts";
import { renderPlot } from "./plot.ts";
import { renderReport } from "./report.ts";

function sample(fields: Partial<Sample>): Sample {
  const opsPerSecond = fields.opsPerSecond ?? 1_000;
  return {
    layout: "etcd",
    op: "put",
    clients: 256,
    opsPerSecond,
    rowsPerSecond: opsPerSecond,
    p50Ms: 1,
    p99Ms: 10,
    errorCount: 0,
    ...fields,
  };
}

function cost(role: CpuCost["role"], processes: number, time: Partial<CpuCost["time"]>): CpuCost {
  return { layout: "1 Region", op: "put", role, processes, time: { ...NO_TIME, ...time } };
}

describe("medians", () => {
  test("are taken figure by figure over the rounds, and errors added", () => {
    const rounds = [900, 1_200, 1_000].map((opsPerSecond, at) =>
      sample({ opsPerSecond, p99Ms: 30 - at * 10, errorCount: at }),
    );
    expect(mediansOf(rounds)).toEqual([
      { ...sample({ opsPerSecond: 1_000, p99Ms: 20, errorCount: 3 }), rounds: 3, spread: 0.3 },
    ]);
  });

  test("of an even number of rounds are the mean of the middle two", () => {
    const [medians] = mediansOf([100, 400, 200, 300].map((opsPerSecond) => sample({ opsPerSecond })));
    expect(medians?.opsPerSecond).toBe(250);
  });
});

describe("the report", () => {
  const render = (samples: readonly Sample[]): string =>
    renderReport({
      conditions: [["cores", "2"]],
      cores: 2,
      medians: mediansOf(samples),
      cpuCosts: [10, 14].flatMap((loop) => [
        cost("client", 1, { loop }),
        cost("leader", 1, { loop, worker: 3, V8: 2, other: 1 }),
        cost("follower", 2, { loop: 5, worker: 5 }),
      ]),
      seconds: 5,
      plot: "b.svg",
    });

  function goalLine(report: string, what: string): string {
    return report.split("\n").find((line) => line.startsWith(`| ${what}`)) ?? "";
  }

  test("a goal beside etcd is met by the rate and the p99 together", () => {
    const etcd = sample({ opsPerSecond: 1_000, p99Ms: 10 });
    const met = (own: Partial<Sample>): string => {
      const line = goalLine(
        render([etcd, sample({ layout: "1 Region", ...own })]),
        "put, 256 clients, 1 Region",
      );
      return line.split("|").at(-2)?.trim() ?? "";
    };
    expect(met({ opsPerSecond: 3_000, p99Ms: 10 })).toBe("yes");
    expect(met({ opsPerSecond: 2_999, p99Ms: 10 })).toBe("no");
    expect(met({ opsPerSecond: 3_000, p99Ms: 10.1 })).toBe("no");
  });

  test("shows both sides, the ratio and the goal in one line", () => {
    const report = render([
      sample({ opsPerSecond: 12_345 }),
      sample({ layout: "16 Regions", opsPerSecond: 24_690, p50Ms: 0.5, p99Ms: 4 }),
    ]);
    expect(goalLine(report, "put, 256 clients, 16 Regions")).toBe(
      "| put, 256 clients, 16 Regions | 12,345/s | 24,690/s | 2.00x | 0.50 (1.00) | 4.00 (10.00) | >= 3x, p99 no worse | no |",
    );
    expect(report).toContain("| cores | 2 |");
    expect(report).toContain("](b.svg)");
  });

  test("shows what a call costs each process, as the mean of the rounds", () => {
    const report = render([sample({})]);
    expect(report).toContain("| put, 1 Region | client |  |  |  |  | 12.0 |");
    expect(report).toContain("| put, 1 Region | leader | 12.0 | 3.0 | 2.0 | 1.0 | 18.0 |");
    expect(report).toContain("| put, 1 Region | each follower of 2 | 5.0 | 5.0 | 0.0 | 0.0 | 10.0 |");
    expect(report).toContain("| put, 1 Region | all | 2 cores full: 40,000/s |  |  |  | 50.0 |");
  });

  test("without etcd no goal beside it is met, and what was not measured has no line", () => {
    const report = render([
      sample({ layout: "1 Region", clients: 1, p50Ms: 0.1 }),
      sample({ layout: "1 Region", op: "scan", clients: 8, opsPerSecond: 310, rowsPerSecond: 310_000 }),
    ]);
    expect(goalLine(report, "put, 1 client")).toMatch(/\| no \|$/);
    expect(goalLine(report, "scan")).toMatch(/\| 310,000 rows\/s .* \| yes \|$/);
    expect(goalLine(report, "get")).toBe("");
    expect(report).toContain("Medians of 1 round; each case takes 5 s after");
    expect(report).not.toContain("etcd and FlareDB take turns");
  });

  test("says of each side how it was warmed up, and how long a case took", () => {
    const report = render([sample({}), sample({ layout: "1 Region" })]);
    expect(report).toContain(
      "Medians of 1 round, in which etcd and FlareDB take turns. A case of FlareDB's takes 5 s",
    );
    expect(report).toContain(
      "one of etcd's is as many calls as a short run before it, its warm-up, would make in 5 s",
    );
  });
});

describe("the document", () => {
  const first = replaceGenerated(undefined, "figures of today");

  test("keeps what people wrote around the generated part", () => {
    const edited = first
      .replace("# Benchmarks\n", "# Benchmarks\n\nAn introduction.\n")
      .concat("\n## Why\n\nBecause.\n");
    const second = replaceGenerated(edited, "figures of tomorrow");
    expect(second).toBe(edited.replace("figures of today", "figures of tomorrow"));
  });

  test.each(["no marks", first + first, first.split("\n").toReversed().join("\n")])(
    "without its marks, once each and in order, it is refused",
    (document) => {
      expect(() => replaceGenerated(document, "figures")).toThrow("each once");
    },
  );
});

test("the plot lies beside its document, which has to be told from it", () => {
  expect(plotPathOf("docs/b.md")).toBe("docs/b.svg");
  expect(() => plotPathOf("docs/b.txt")).toThrow("docs/b.txt must end with .md");
});

describe("the plot", () => {
  const svg = renderPlot(
    mediansOf([
      sample({ clients: 1, opsPerSecond: 1_000, p50Ms: 0.9, p99Ms: 2 }),
      sample({ clients: 256, opsPerSecond: 13_000, p50Ms: 19, p99Ms: 45 }),
      sample({ layout: "1 Region", clients: 1, opsPerSecond: 1_500, p50Ms: 0.6, p99Ms: 1.5 }),
      sample({ layout: "1 Region", op: "get", clients: 1, opsPerSecond: 9_000, p50Ms: 0.08, p99Ms: 0.3 }),
    ]),
  );

  test("has a line for p50 and p99 of each side that was measured, and its axes say their units", () => {
    expect(svg.match(/<polyline/g)).toHaveLength(6);
    expect(svg.match(/calls per second/g)).toHaveLength(2);
    expect(svg.match(/latency \(ms\)/g)).toHaveLength(2);
    expect(svg).toContain("prefers-color-scheme: dark");
  });

  test("every point is inside its panel: latency by powers of ten, load from 0", () => {
    const places = [...svg.matchAll(/<circle cx="([\d.-]+)" cy="([\d.-]+)"/g)].map((match) =>
      match.slice(1).map(Number),
    );
    expect(places).toHaveLength(8);
    for (const [x, y] of places as [number, number][]) {
      expect(x >= 64 && x <= 856 && y >= 64 && y <= 344).toBe(true);
    }
    expect(svg).toContain(">0.01<");
    expect(svg).toContain(">100<");
  });

  test("nothing measured is a plot without lines", () => {
    expect(renderPlot([])).not.toContain("<polyline");
  });
});

describe("processor time", () => {
  test("of this process grows as it works, on the loop", () => {
    const before = cpuTimeOf(process.pid);
    const untilMs = performance.now() + 20;
    while (performance.now() < untilMs) {
      // Works.
    }
    const { loop, worker, V8, other } = costOf(before, cpuTimeOf(process.pid), 1);
    expect(loop + worker + V8 + other).toBeGreaterThan(process.platform === "linux" ? 5_000 : -1);
  });

  test("of a process that is gone is none", () => {
    expect(cpuTimeOf(undefined)).toEqual(NO_TIME);
  });
});

test("the load of others is the share of the cores' time that was not idle", () => {
  const core = (user: number, sys: number, idle: number) => ({
    model: "",
    speed: 0,
    times: { user, sys, idle, nice: 0, irq: 0 },
  });
  const before = [core(100, 100, 100), core(0, 0, 0)];
  expect(busyBetween(before, [core(150, 125, 125), core(0, 0, 100)])).toBe(0.375);
  expect(busyBetween(before, before)).toBe(0);
});

test("data in memory are told as that: nothing was synced then", () => {
  expect(fileSystemName(0xef53)).toBe("ext4");
  expect(fileSystemName(0x01021994)).toContain("no sync reaches a disk");
  expect(fileSystemName(0x4d44)).toBe("file system 0x4d44");
});

describe("etcd", () => {
  test("the baseline's table becomes samples", () => {
    const text =
      "op\tclients\tops_per_second\tp50_ms\tp99_ms\nput\t256\t13021\t18.50\t44.10\nget\t1\t2200\t0.41\t0.90\n";
    expect(parseBaseline(text)).toEqual([
      sample({ opsPerSecond: 13_021, p50Ms: 18.5, p99Ms: 44.1 }),
      sample({ op: "get", clients: 1, opsPerSecond: 2_200, p50Ms: 0.41, p99Ms: 0.9 }),
    ]);
  });

  test("a row without figures is refused: a run that failed is no measurement", () => {
    expect(() => parseBaseline("op\tclients\nput\t256\t\t\t\n")).toThrow("which is no row");
  });

  test("a missing script is told with what to do", () => {
    expect(() => checkEtcdScript("nowhere.sh")).toThrow(/nowhere\.sh is not there: name .* --etcd-script/);
  });
});

test("Regions cut the keys into equal parts", () => {
  expect(splitKeys(4)).toBe("bench/0000025000,bench/0000050000,bench/0000075000");
  expect(splitKeys(16).split(",")).toHaveLength(15);
});
