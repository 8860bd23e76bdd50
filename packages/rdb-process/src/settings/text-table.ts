const GAP = "  ";
const ELLIPSIS = "…";
/** Narrower than this no column gets. */
const NARROWEST = 8;

/**
 * Rows under their titles, ending with a line break.
 *
 * @param width columns of the terminal, which the widest cells are cut to fit; undefined: as wide as it takes
 */
export function renderTable(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string {
  const natural = titles.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => Array.from(row[at] ?? "").length)),
  );
  const widths = width === undefined ? natural : fit(natural, width);
  return [titles, ...rows]
    .map((row) => row.map((cell, at) => pad(cell, widths[at] ?? 0)).join(GAP))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** Takes from the widest column, one by one, until all fit or none may get narrower. */
function fit(natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1) - width;
  for (; excess > 0; excess--) {
    const widest = Math.max(...widths);
    if (widest <= NARROWEST) {
      break;
    }
    widths[widths.indexOf(widest)] = widest - 1;
  }
  return widths;
}

function pad(cell: string, width: number): string {
  const letters = Array.from(cell);
  const cut = letters.length > width ? [...letters.slice(0, width - 1), ELLIPSIS] : letters;
  return cut.join("") + " ".repeat(width - cut.length);
}
