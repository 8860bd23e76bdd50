/** Measured values of one kind, and what they are to stay under. */
export interface Measured {
  readonly what: string;
  readonly unit: string;
  readonly values: readonly number[];
  /** What the worst value, and the median, must stay under; without one it is only told. */
  readonly goal?: { readonly median?: number; readonly worst?: number };
}

/** A table of medians and worst values with their goals, for a terminal and for docs/scale.md. */
export function renderMeasured(title: string, all: readonly Measured[]): string {
  const rows = all.map((measured) => {
    const { what, unit, values, goal } = measured;
    const limits = [
      ...(goal?.median === undefined ? [] : [`median < ${goal.median}`]),
      ...(goal?.worst === undefined ? [] : [`worst < ${goal.worst}`]),
    ];
    const cells = [format(median(values)), format(worst(values)), String(values.length)];
    const verdict = goal === undefined ? "" : isMet(measured) ? "met" : "missed";
    return `| ${what}, ${unit} | ${cells.join(" | ")} | ${limits.join(", ")} | ${verdict} |`;
  });
  return `| ${title} | median | worst | of | goal | |\n|---|---|---|---|---|---|\n${rows.join("\n")}\n`;
}

/** Whether every goal is met. */
export function allMet(all: readonly Measured[]): boolean {
  return all.every(isMet);
}

function isMet({ values, goal }: Measured): boolean {
  return (
    values.length > 0 &&
    worst(values) < (goal?.worst ?? Number.POSITIVE_INFINITY) &&
    median(values) < (goal?.median ?? Number.POSITIVE_INFINITY)
  );
}

/** Between the two in the middle of an even number; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (place: number): number => sorted[place] ?? Number.NaN;
  return (at(Math.floor((sorted.length - 1) / 2)) + at(Math.floor(sorted.length / 2))) / 2;
}

function worst(values: readonly number[]): number {
  return Math.max(...values);
}

function format(value: number): string {
  return value.toFixed(value < 10 ? 2 : 0);
}
