import { expect, test } from "vitest";
import { metricSections } from "./metric-table.ts";

const all = metricSections.flatMap(({ metrics }) => metrics);

test("names are unique, and say product and unit", () => {
  const names = all.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, type, unit } of all) {
    expect(name).toMatch(/^(flaredb_(store|pd|process|build)|process)_[a-z_]+$/);
    expect({ name, isCounter: name.endsWith("_total") }).toEqual({ name, isCounter: type === "counter" });
    expect(name).not.toMatch(/_(ms|millis|kb|mb|mib)(_|$)/);
    if (unit !== "1") {
      expect(name).toMatch(new RegExp(`_${unit}(_total)?$`));
    }
  }
});

test("only histograms have buckets, and times are told in seconds", () => {
  for (const { name, type, buckets } of all) {
    expect({ name, hasBuckets: buckets !== undefined }).toEqual({ name, hasBuckets: type === "histogram" });
    if (/latency|_delay_|pause/.test(name)) {
      expect(name).toMatch(/_seconds$/);
    }
  }
});

test("labels are few: no id of a Region, a peer or a client is one", () => {
  for (const { labels, values } of all) {
    expect(labels.filter((label) => /region|peer|client|key|address/.test(label))).toEqual([]);
    expect(values?.length ?? 0).toBeLessThan(20);
    expect(new Set(values).size).toBe(values?.length ?? 0);
  }
});

test("every metric is explained in a sentence", () => {
  for (const { help } of all) {
    expect(help).toMatch(/^[A-Z1][^\n]{8,220}\.$/);
  }
});
