import { cutEnd, cutMiddle, displayWidth } from "./display-width.ts";
import { type Paint, type Style, plain } from "./paint.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** What may be left out, with an ellipsis, when the terminal is too narrow. Default: nothing. */
  readonly shrinks?: "middle" | "end";
  /** How a cell looks where there are colours. */
  readonly style?: (cell: string) => Style | undefined;
}

/** What a table is shown on. */
export interface Screen {
  /** Columns of the terminal; undefined: as wide as it takes. */
  readonly width: number | undefined;
  /** Default: no colours. */
  readonly paint?: Paint;
}

const GAP = "  ";
const NARROWEST = 8;

/**
 * Rows under their titles, without lines between them, ending with a line break. No line is wider than the screen:
 * first the columns that may shrink do; where that is not enough, lines end with an ellipsis.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { width, paint = plain }: Screen,
): string {
  const widths = fit(columns, naturalWidths(columns, rows), width);
  const titles = columns.map(({ title }) => title);
  const asTitle: Paint = (cell) => paint(cell, "title");
  const lines = [
    renderLine(columns, titles, widths, { width, paint: asTitle }),
    ...rows.map((row) => renderLine(columns, row, widths, { width, paint })),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

/** `name: value` lines with the values below each other. */
export function renderFields(fields: readonly (readonly [string, string])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${`${name}:`.padEnd(width + 1)}  ${value}\n`).join("");
}

// Widths are counted before anything is painted: escape sequences take no room.
function renderLine(
  columns: readonly Column[],
  cells: readonly string[],
  widths: readonly number[],
  { width, paint = plain }: Screen,
): string {
  let line = "";
  let room = width ?? Number.POSITIVE_INFINITY;
  let owed = "";
  for (const [at, column] of columns.entries()) {
    const cellWidth = widths[at] ?? 0;
    const cut = column.shrinks === "middle" ? cutMiddle : cutEnd;
    const cell = cut(cells[at] ?? "", cellWidth);
    const padding = " ".repeat(cellWidth - displayWidth(cell));
    const isRight = column.align === "right";
    // Nothing stands behind the last cell of a line: blanks are written when something follows them.
    const lead = owed + (isRight ? padding : "");
    const left = room - lead.length;
    if (displayWidth(cell) > left) {
      return left < 1 ? line : line + lead + paint(cutEnd(cell, left), column.style?.(cell));
    }
    if (cell !== "") {
      line += lead + paint(cell, column.style?.(cell));
      room -= lead.length + displayWidth(cell);
      owed = (isRight ? "" : padding) + GAP;
    } else {
      owed = lead + (isRight ? "" : padding) + GAP;
    }
  }
  return line;
}

function naturalWidths(columns: readonly Column[], rows: readonly (readonly string[])[]): number[] {
  return columns.map((column, at) =>
    Math.max(column.title.length, ...rows.map((row) => displayWidth(row[at] ?? ""))),
  );
}

// Takes from the widest column that may shrink, one by one, until the table fits or nothing may shrink further.
function fit(columns: readonly Column[], natural: readonly number[], width: number | undefined): number[] {
  const widths = [...natural];
  if (width === undefined) {
    return widths;
  }
  let excess = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (columns.length - 1) - width;
  while (excess > 0) {
    const candidates = widths.flatMap((each, at) => (columns[at]?.shrinks && each > NARROWEST ? [at] : []));
    const widest = candidates.reduce(
      (best, at) => (best === -1 || (widths[at] as number) > (widths[best] as number) ? at : best),
      -1,
    );
    if (widest === -1) {
      return widths;
    }
    widths[widest] = (widths[widest] as number) - 1;
    excess--;
  }
  return widths;
}
