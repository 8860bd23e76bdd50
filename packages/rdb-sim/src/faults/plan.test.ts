import { clusterVersions } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { elasticKinds, faultKinds } from "./draw-fault.ts";
import { drawPlan, formatPlan, streamOf, withElasticity } from "./plan.ts";

const seeds = Array.from({ length: 400 }, (_, place) => place * 7_919);
const plans = seeds.map(drawPlan);
const stagedChanges = ["missed-merge", "untold-change", "overtaken-snapshot"];
const allKinds: readonly string[] = [
  ...faultKinds,
  ...elasticKinds,
  ...["missed-change", "lost-transfer", "late-answers", "change-program", ...stagedChanges],
];

describe("a plan", () => {
  test("follows from its seed alone", () => {
    expect(seeds.map(drawPlan)).toEqual(plans);
    expect(drawPlan(1)).not.toEqual(drawPlan(2));
  });

  test("is JSON, so that it can be kept and changed", () => {
    for (const plan of plans) {
      expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    }
  });

  test("lets at least 5 things go wrong in at least 30 s, one after the other, and ends them all", () => {
    for (const { faults, faultsEndMs } of plans) {
      expect(faults.length).toBeGreaterThanOrEqual(5);
      expect(faultsEndMs).toBeGreaterThanOrEqual(30_000);
      expect(faults.map(({ atMs }) => atMs)).toEqual(faults.map(({ atMs }) => atMs).sort((a, b) => a - b));
      for (const { atMs, durationMs } of faults) {
        expect(atMs + durationMs).toBeLessThanOrEqual(faultsEndMs);
        expect(durationMs).toBeGreaterThanOrEqual(1);
      }
    }
  });

  test("uses every kind of fault in some seed, and few in others", () => {
    const kindsOf = plans.map(({ faults }) => new Set(faults.map(({ kind }) => kind)));
    expect(new Set<string>(kindsOf.flatMap((kinds) => [...kinds]))).toEqual(new Set(allKinds));
    expect(kindsOf.some((kinds) => kinds.size <= 2)).toBe(true);
    expect(kindsOf.some((kinds) => kinds.size >= 10)).toBe(true);
  });

  test("lets clocks run at most 8 % apart", () => {
    for (const { shape } of plans) {
      const rates = shape.clocks.map(({ rate }) => rate);
      expect(rates).toHaveLength(shape.storeCount + 1 + shape.clientCount);
      expect(Math.max(...rates) / Math.min(...rates)).toBeLessThanOrEqual(1.08 + Number.EPSILON);
      expect(Math.min(...rates)).toBeGreaterThanOrEqual(0.92);
      expect(Math.max(...rates)).toBeLessThanOrEqual(1.08);
    }
  });

  test("has older programs in some seeds: each is replaced by the newer one, and some go back for a while", () => {
    const mixed = plans.filter(({ shape }) => shape.olderPrograms === true);
    expect(mixed.length / plans.length).toBeGreaterThan(0.05);
    expect(mixed.length / plans.length).toBeLessThan(0.25);
    const { oldest, newest } = clusterVersions;
    let backCount = 0;
    for (const { shape, faults } of mixed) {
      const changes = faults.filter((fault) => fault.kind === "change-program");
      const replaced = changes.filter(({ clusterVersion }) => clusterVersion === newest);
      expect(new Set(replaced.map(({ place }) => place)).size).toBe(shape.storeCount + 1);
      const backs = changes.filter(({ clusterVersion }) => clusterVersion === oldest);
      expect(backs.length === 0 || shape.elastic === undefined).toBe(true);
      backCount += backs.length;
    }
    expect(backCount).toBeGreaterThan(0);
  });

  test("has a line for each fault", () => {
    const [plan] = plans;
    expect(formatPlan(plan as (typeof plans)[number]).split("\n")).toHaveLength(
      (plan?.faults.length ?? 0) + 2,
    );
  });
});

describe("an elastic plan", () => {
  const elastic = plans.map(withElasticity);

  test("follows from its seed, has every fault that it had, and is JSON", () => {
    for (const [place, plan] of elastic.entries()) {
      expect(withElasticity(plans[place] as (typeof plans)[number])).toEqual(plan);
      expect(plan.faults).toEqual(expect.arrayContaining([...(plans[place]?.faults ?? [])]));
      expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
    }
  });

  test("asks for everything in some seed, and never takes peers away where a Store is lost", () => {
    const kindsOf = elastic.map(({ faults }) => new Set<string>(faults.map(({ kind }) => kind)));
    const all = new Set(kindsOf.flatMap((kinds) => [...kinds]));
    expect([...all].toSorted()).toEqual(allKinds.toSorted());
    expect(kindsOf.filter((kinds) => kinds.has("lose-store") && kinds.has("remove-peer"))).toEqual([]);
  });
});

test("what one purpose draws changes nothing for another", () => {
  const draw = (seed: number, purpose: string): number[] => {
    const random = streamOf(seed, purpose);
    return Array.from({ length: 4 }, () => random.nextInt(1_000_000));
  };
  expect(draw(1, "network")).toEqual(draw(1, "network"));
  expect(draw(1, "network")).not.toEqual(draw(1, "calls"));
  expect(draw(1, "network")).not.toEqual(draw(2, "network"));
});
