import type { HeatMap } from "../api/gen/types.ts";
import { colourAt, heatShare, rampOf } from "./colour.ts";
import { type Cell, type HeatBox, bucketCount, hottest, keyTicks, spanOf, timeTicks } from "./layout.ts";

/** What is drawn on the canvas. */
export interface HeatDrawing {
  readonly map: HeatMap;
  readonly box: HeatBox;
  readonly isDark: boolean;
  /** Where the pointer or the keys are. */
  readonly cell: Cell | undefined;
  /** Where a selection that is being drawn began. */
  readonly anchor: Cell | undefined;
  readonly formatTime: (ms: number) => string;
}

const KEY_GAP = 24;
const TIME_GAP = 76;
const KEY_TEXT_MAX = 20;

/** The map as an image of one pixel a cell, to be drawn in any size; made once for each answer. */
export function heatImage(map: HeatMap, isDark: boolean): ImageData | undefined {
  const width = map.columns.length;
  const height = bucketCount(map);
  if (width === 0 || height === 0) {
    return undefined;
  }
  const image = new ImageData(width, height);
  const ramp = rampOf(isDark);
  const maximum = hottest(map);
  map.values.forEach((column, x) => {
    column.forEach((value, y) => {
      const [red, green, blue] = colourAt(ramp, heatShare(value, maximum));
      image.data.set([red, green, blue, 255], (y * width + x) * 4);
    });
  });
  return image;
}

/** Draws the cells, the axes, and what is selected. */
export function drawHeat(
  canvas: HTMLCanvasElement,
  cells: CanvasImageSource | undefined,
  drawing: HeatDrawing,
): void {
  const context = canvas.getContext("2d");
  if (context === null) {
    return;
  }
  const { map, box, cell, anchor } = drawing;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const scale = devicePixelRatio;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingEnabled = false;
  if (cells !== undefined) {
    context.drawImage(cells, box.left, box.top, box.width, box.height);
  }
  context.fillStyle = colour("--soft");
  context.font = `11px ${style.getPropertyValue("--mono")}`;
  context.textBaseline = "top";
  context.textAlign = "right";
  for (const { at, text } of keyTicks(map, box, KEY_GAP)) {
    context.fillText(shortened(text, Math.floor((box.left - 10) / 6.7)), box.left - 8, at);
  }
  context.textAlign = "left";
  for (const { at, text } of timeTicks(map, box, TIME_GAP, drawing.formatTime)) {
    context.fillText(text, at, box.top + box.height + 8);
  }
  if (cell !== undefined) {
    const { from, to } = spanOf(anchor ?? cell, cell);
    context.strokeStyle = colour("--text");
    context.lineWidth = 1.5;
    const x = (column: number): number => box.left + (column / map.columns.length) * box.width;
    const y = (bucket: number): number => box.top + (bucket / bucketCount(map)) * box.height;
    context.strokeRect(
      x(from.column),
      y(from.bucket),
      x(to.column + 1) - x(from.column),
      y(to.bucket + 1) - y(from.bucket),
    );
  }
}

/** The end of a key tells more than its beginning, which its neighbours share. */
function shortened(text: string, maximum: number): string {
  const length = Math.max(3, Math.min(KEY_TEXT_MAX, maximum));
  return text.length <= length ? text : `…${text.slice(text.length - length + 1)}`;
}
