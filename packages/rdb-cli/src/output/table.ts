import Table from "cli-table3";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** May be cut with an ellipsis when the terminal is too narrow: for keys. Default: no. */
  readonly canShrink?: boolean;
}

const GAP = "  ";
const NARROWEST = 8;

/**
 * Rows under their titles, without lines between them, ending with a line break.
 *
 * @param width columns of the terminal; undefined: as wide as it takes
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string {
  const widths = fit(columns, naturalWidths(columns, rows), width);
  const table = new Table({
    head: columns.map((column) => column.title),
    colWidths: widths,
    colAligns: columns.map((column) => column.align ?? "left"),
    chars: { ...noLines, middle: GAP },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  const lines = table.toString().split("\n");
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

/** `name: value` lines with the values below each other. */
export function renderFields(fields: readonly (readonly [string, string])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length));
  return fields.map(([name, value]) => `${`${name}:`.padEnd(width + 1)}  ${value}\n`).join("");
}

const noLines = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
};

function naturalWidths(columns: readonly Column[], rows: readonly (readonly string[])[]): number[] {
  return columns.map((column, at) =>
    Math.max(column.title.length, ...rows.map((row) => displayWidth(row[at] ?? ""))),
  );
}

// East Asian wide characters take two columns of a terminal.
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/gu;

function displayWidth(text: string): number {
  return Array.from(text).length + (text.match(WIDE)?.length ?? 0);
}

// Takes from the widest column that may shrink, one by one, until the table fits or nothing may shrink further.
function fit(columns: readonly Column[], natural: readonly number[], width: number | undefined): number[] {
  const widths = [...natural];
  if (width === undefined) {
    return widths;
  }
  let excess = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (columns.length - 1) - width;
  while (excess > 0) {
    const candidates = widths.flatMap((each, at) => (columns[at]?.canShrink && each > NARROWEST ? [at] : []));
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
