import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { HeatMap } from "../api/gen/types.ts";
import { useTheme } from "../theme.ts";
import { drawHeat, heatImage } from "./draw.ts";
import { type Cell, type HeatBox, cellAt, movedCell } from "./layout.ts";

export interface HeatCanvasProps {
  readonly map: HeatMap;
  /** What the chosen cell is, in words. */
  readonly describe: (cell: Cell) => string;
  readonly formatTime: (ms: number) => string;
  readonly chosen: Cell | undefined;
  readonly onChoose: (cell: Cell) => void;
  /** The part between two cells was drawn, or Enter pressed on one. */
  readonly onZoom: (from: Cell, to: Cell) => void;
  readonly onZoomOut: () => void;
}

const HEIGHT = 460;
const FOOT = 26;
/** Beside less there would be no map left. */
const WIDE_FROM = 640;
const steps: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The map, to be pointed at, drawn over, and gone through by keys. */
export function HeatCanvas(props: HeatCanvasProps): JSX.Element {
  const { map, chosen, describe, formatTime } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const { isDark } = useTheme();
  const width = useWidth(canvas);
  const [pointed, setPointed] = useState<Cell>();
  const [anchor, setAnchor] = useState<Cell>();
  const left = width >= WIDE_FROM ? 150 : 64;
  const box: HeatBox = { left, top: 4, width: Math.max(1, width - left - 4), height: HEIGHT - FOOT - 4 };
  const cells = useMemo(() => toCanvas(heatImage(map, isDark)), [map, isDark]);
  const cell = pointed ?? chosen;
  useEffect(() => {
    const element = canvas.current;
    if (element !== null && width > 0) {
      element.width = Math.round(width * devicePixelRatio);
      element.height = Math.round(HEIGHT * devicePixelRatio);
      drawHeat(element, cells, { map, box, isDark, cell, anchor, formatTime });
    }
  });
  const at = ({ offsetX, offsetY }: PointerEvent): Cell | undefined => cellAt(map, box, offsetX, offsetY);
  const released = (event: PointerEvent): void => {
    const end = at(event);
    if (anchor !== undefined && end !== undefined) {
      props.onChoose(end);
      if (end.column !== anchor.column || end.bucket !== anchor.bucket) {
        props.onZoom(anchor, end);
      }
    }
    setAnchor(undefined);
  };
  const pressed = (event: KeyboardEvent): void => {
    const from = chosen ?? { column: map.columns.length - 1, bucket: 0 };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setPointed(undefined);
      props.onChoose(chosen === undefined ? from : movedCell(map, from, step[0], step[1]));
    } else if (event.key === "Enter") {
      props.onZoom(from, from);
    } else if (event.key === "Escape") {
      props.onZoomOut();
    }
  };
  return (
    <>
      <canvas
        ref={canvas}
        class="heat"
        style={{ height: `${HEIGHT}px` }}
        role="application"
        tabIndex={0}
        aria-label="Heat map of the key space over time. Arrow keys go from cell to cell, Enter zooms in, Escape out."
        aria-describedby="heat-cell"
        onPointerDown={(event) => setAnchor(at(event))}
        onPointerMove={(event) => setPointed(at(event))}
        onPointerLeave={() => {
          setPointed(undefined);
          setAnchor(undefined);
        }}
        onPointerUp={released}
        onKeyDown={pressed}
      />
      <p id="heat-cell" class="heat-cell" role="status">
        {cell === undefined
          ? "Point at a cell to see its keys; draw over several to zoom in."
          : describe(cell)}
      </p>
    </>
  );
}

/** Of an element, as it changes; 0 until it is there. */
function useWidth(element: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const { current } = element;
    if (current === null) {
      return;
    }
    const observer = new ResizeObserver(() => setWidth(current.clientWidth));
    observer.observe(current);
    setWidth(current.clientWidth);
    return () => observer.disconnect();
  }, []);
  return width;
}

function toCanvas(image: ImageData | undefined): HTMLCanvasElement | undefined {
  if (image === undefined) {
    return undefined;
  }
  const made = document.createElement("canvas");
  made.width = image.width;
  made.height = image.height;
  made.getContext("2d")?.putImageData(image, 0, 0);
  return made;
}
