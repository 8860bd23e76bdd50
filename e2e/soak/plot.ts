import {
  type Line,
  PANEL_GAP,
  PANEL_HEIGHT,
  PANEL_MARGIN,
  panel,
  picture,
  timeAxis,
  timeScale,
} from "../time-panels.ts";
import type { SoakSample } from "./soak-watch.ts";

const MIB = 2 ** 20;
const [BLUE, GREEN, RED] = ["#2e6ee4", "#2a9d5c", "#e4572e"];

/** A run as an SVG of three panels: latency, memory and disk, entries of the log. */
export function plot(samples: readonly SoakSample[]): string {
  const endMs = Math.max(1, samples.at(-1)?.atMs ?? 0);
  const x = timeScale(endMs);
  const line = (name: string, colour: string, of: (sample: SoakSample) => number): Line => ({
    ...{ name, colour },
    points: samples.map((sample) => ({ atMs: sample.atMs, value: of(sample) })),
  });
  const panels: readonly { readonly unit: string; readonly lines: readonly Line[] }[] = [
    {
      unit: " ms",
      lines: [
        line("p99", RED, ({ latencies }) => latencies.percentileMs(99)),
        line("p50", BLUE, ({ latencies }) => latencies.percentileMs(50)),
      ],
    },
    {
      unit: " MiB",
      lines: [
        line("memory of a Store", BLUE, ({ storeBytes }) => storeBytes / MIB),
        line("of PD", GREEN, ({ pdBytes }) => pdBytes / MIB),
        line("data of a Store", RED, ({ diskBytes }) => diskBytes / MIB),
      ],
    },
    { unit: "", lines: [line("entries in the logs of a Store", BLUE, (sample) => sample.logEntryCount)] },
  ];
  const topOf = (at: number): number => PANEL_MARGIN.top + at * (PANEL_HEIGHT + PANEL_GAP);
  const bottom = topOf(panels.length - 1) + PANEL_HEIGHT;
  return picture(bottom + PANEL_MARGIN.bottom, [
    ...panels.flatMap(({ unit, lines }, at) => panel({ top: topOf(at), x, unit, lines })),
    ...timeAxis(endMs, bottom),
  ]);
}
