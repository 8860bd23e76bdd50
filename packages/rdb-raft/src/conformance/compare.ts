/** How expected and actual output are compared. */
export type Comparison =
  /** Every byte, the core's log lines included. */
  | "byte-exact"
  /** The core's log lines, which are no part of its behaviour, are dropped first. */
  | "normalised";

const LOG_LINE = /^\s*(DEBUG|INFO|WARN|ERROR) /;

/** Whether a block's output is the expected one. */
export function outputsMatch(expected: string, actual: string, comparison: Comparison): boolean {
  const clean = comparison === "normalised" ? normalise : endLine;
  return clean(expected) === clean(actual);
}

/** Drops the core's log lines; output of which nothing is left, or only blanks, counts as `ok`. */
export function normalise(output: string): string {
  const kept = endLine(output)
    .split("\n")
    .filter((line) => !LOG_LINE.test(line))
    .join("\n");
  return kept.trim() === "" ? "ok\n" : kept;
}

function endLine(output: string): string {
  return output === "" || output.endsWith("\n") ? output : `${output}\n`;
}
