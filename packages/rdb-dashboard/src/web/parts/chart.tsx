import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatTime } from "../pure/format.ts";
import { useTheme } from "../theme.ts";

/** One line of a chart. */
interface Series {
  readonly name: string;
  readonly tone: "read" | "write";
  /** null: nothing is known for that moment. */
  readonly values: readonly (number | null)[];
  readonly isDashed?: boolean;
}

export interface ChartProps {
  /** What it shows, for who does not see it. */
  readonly label: string;
  /** Milliseconds since 1970, rising. */
  readonly timesMs: readonly number[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  readonly height?: number;
}

const HEIGHT = 180;
const DAY_S = 86_400;

/** Lines over time, with the newest values in words. */
export function Chart(props: ChartProps): JSX.Element {
  const { label, timesMs, series, format, height = HEIGHT } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const { isDark } = useTheme();
  const data = [timesMs.map((ms) => ms / 1000), ...series.map(({ values }) => values)] as uPlot.AlignedData;
  const shape = series.map(({ name, tone, isDashed }) => `${name} ${tone} ${isDashed === true}`).join();
  // Drawn anew only when its lines or colours are others: new values go into the same chart.
  useEffect(() => {
    const element = place.current;
    if (element === null) {
      return;
    }
    const made = new uPlot(optionsOf(props, element.clientWidth, height), data, element);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [isDark, shape, height]);
  useEffect(() => {
    plot.current?.setData(data);
  });
  const newest = series.map(({ name, values }) => {
    const value = values.findLast((each) => each !== null);
    return `${name} ${value === undefined || value === null ? "unknown" : format(value)}`;
  });
  return (
    <div>
      <div class="chart-legend">
        {series.map(({ name, tone, values }) => {
          const value = values.findLast((each) => each !== null);
          return (
            <span key={name} class={tone}>
              <i class="swatch" />
              {name} <strong>{value === undefined || value === null ? "–" : format(value)}</strong>
            </span>
          );
        })}
      </div>
      <div class="chart" ref={place} role="img" aria-label={`${label}: ${newest.join(", ")}`} />
    </div>
  );
}

function optionsOf({ series, format }: ChartProps, width: number, height: number): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--soft"),
    grid: { stroke: colour("--grid"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
  };
  return {
    width,
    height,
    padding: [10, 26, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    scales: {
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.15 : 1] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        space: 70,
        values: (_plot, splits) => splits.map((second) => clock(second, splits)),
        grid: { show: false },
      },
      {
        ...axis,
        size: 64,
        space: 34,
        values: (_plot, splits) => splits.map(format),
      },
    ],
    series: [
      {},
      ...series.map(({ name, tone, isDashed }) => ({
        label: name,
        stroke: colour(`--${tone}`),
        width: 1.6,
        ...(isDashed === true ? { dash: [4, 3] } : { fill: `${colour(`--${tone}`)}14` }),
        points: { show: false },
      })),
    ],
  };
}

/** Seconds only where the ticks are that close. */
function clock(second: number, all: readonly number[]): string {
  const step = (all[1] ?? DAY_S) - (all[0] ?? 0);
  const text = formatTime(second * 1000);
  return step % 60 === 0 ? text.slice(0, 5) : text;
}
