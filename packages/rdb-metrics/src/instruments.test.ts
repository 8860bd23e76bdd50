import { expect, test } from "vitest";
import { counterBy, gauge, histogram, histogramBy, openMetric } from "./definition.ts";
import { metricSource, renderMetrics } from "./exposition.ts";
import { Histogram, OpenValues, makeInstruments } from "./instruments.ts";

test("a histogram counts an observation in the first bucket that holds it, bounds included", () => {
  const sizes = new Histogram([1, 2, 4]);
  sizes.observe(1);
  sizes.observe(1.5);
  sizes.observe(4, 3);
  sizes.observe(5);
  expect(sizes.counts).toEqual([1, 1, 3, 1]);
  expect(sizes.count).toBe(6);
  expect(sizes.sum).toBe(1 + 1.5 + 12 + 5);
});

test("bounds that do not rise are refused", () => {
  expect(() => new Histogram([1, 1])).toThrow("rise");
});

test("times of clocks are counted in seconds", () => {
  const latency = new Histogram([0.001, 0.01]);
  latency.observeMs(5, 2);
  expect(latency.counts).toEqual([0, 2, 0]);
  expect(latency.sum).toBe(0.01);
});

test("open labels are bounded: what does not fit is counted together", () => {
  const values = new OpenValues(["name"]);
  for (let name = 0; name < 10_000; name++) {
    values.of(`n${name}`).value += 1;
  }
  expect(values.series()).toHaveLength(501);
  expect(values.of("other").value).toBe(9_500);
});

const table = {
  waiting: gauge("test_waiting_bytes", "What waits.\nIn \\ bytes."),
  outcomes: counterBy("test_outcomes_total", "Outcomes.", "outcome", ["good", "bad"]),
  latency: histogram("test_latency_seconds", "How long.", [0.5, 1]),
  kinds: histogramBy("test_kind_latency_seconds", "How long, by kind.", [1], {
    label: "kind",
    values: ["a"],
  }),
  named: openMetric("counter", "test_named_total", "By name.", {
    labels: ["name", "how"],
    absentWhen: "new",
  }),
};

test("the text is Prometheus' format 0.0.4, gauges as they are when somebody asks", async () => {
  const instruments = makeInstruments(table);
  instruments.outcomes.good.value += 2;
  instruments.latency.observe(0.7);
  instruments.latency.observe(7);
  instruments.named.of('say "hi"', "x\\y").value += 1;
  const source = metricSource(table, instruments, () => {
    instruments.waiting.value = 12.5;
  });
  expect(await renderMetrics([source])).toBe(
    [
      "# HELP test_waiting_bytes What waits.\\nIn \\\\ bytes.",
      "# TYPE test_waiting_bytes gauge",
      "test_waiting_bytes 12.5",
      "# HELP test_outcomes_total Outcomes.",
      "# TYPE test_outcomes_total counter",
      'test_outcomes_total{outcome="good"} 2',
      'test_outcomes_total{outcome="bad"} 0',
      "# HELP test_latency_seconds How long.",
      "# TYPE test_latency_seconds histogram",
      'test_latency_seconds_bucket{le="0.5"} 0',
      'test_latency_seconds_bucket{le="1"} 1',
      'test_latency_seconds_bucket{le="+Inf"} 2',
      "test_latency_seconds_sum 7.7",
      "test_latency_seconds_count 2",
      "# HELP test_kind_latency_seconds How long, by kind.",
      "# TYPE test_kind_latency_seconds histogram",
      'test_kind_latency_seconds_bucket{kind="a",le="1"} 0',
      'test_kind_latency_seconds_bucket{kind="a",le="+Inf"} 0',
      'test_kind_latency_seconds_sum{kind="a"} 0',
      'test_kind_latency_seconds_count{kind="a"} 0',
      "# HELP test_named_total By name.",
      "# TYPE test_named_total counter",
      'test_named_total{name="say \\"hi\\"",how="x\\\\y"} 1',
      "",
    ].join("\n"),
  );
});
