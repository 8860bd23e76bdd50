import type { Outcome } from "./hunter.ts";
import type { Mutant } from "./mutant.ts";

/** Invariants and errors are cut to this many letters, so that a line stays a line. */
const WHAT_MAX_LENGTH = 70;

/** One line: how the hunt for a mutant ended. */
export function formatOutcome({ name }: Mutant, outcome: Outcome): string {
  const seconds = `${(outcome.realMs / 1_000).toFixed(1)} s`;
  switch (outcome.by) {
    case "conformance":
      return `${name}: caught by conformance, ${outcome.what} (${seconds})`;
    case "simulator":
      return `${name}: caught by the simulator after ${seeds(outcome.seedCount)}, seed ${outcome.seed}: ${cut(outcome.what)} (${seconds})`;
    case undefined:
      return `${name}: SURVIVED ${seeds(outcome.seedCount)} (${seconds})`;
  }
}

/** All outcomes as a table, and under it what they amount to: the last line is `N caught, N survived`. */
export function formatReport(mutants: readonly Mutant[], outcomes: readonly Outcome[]): string {
  const rows = mutants.map((mutant, place) => row(mutant, outcomes[place] as Outcome));
  const survivors = mutants.filter((_, place) => outcomes[place]?.by === undefined);
  const lines = table([["mutant", "caught by", "seeds", "what fired", "seconds"], ...rows]);
  for (const { name, breaks } of survivors) {
    lines.push("", `survived: ${name}`, `  ${breaks}`);
  }
  lines.push("", `${mutants.length - survivors.length} caught, ${survivors.length} survived`);
  return lines.join("\n");
}

/** The table itself, before any hunt. */
export function formatMutants(mutants: readonly Mutant[]): string {
  return mutants
    .map(({ name, breaks, edits, seenBy }) =>
      [`${name} (${seenBy.join(", ")})`, `  ${breaks}`, ...edits.map(({ file }) => `  ${file}`)].join("\n"),
    )
    .join("\n");
}

function row({ name }: Mutant, outcome: Outcome): string[] {
  const seconds = (outcome.realMs / 1_000).toFixed(1);
  switch (outcome.by) {
    case "conformance":
      return [name, "conformance", "", cut(outcome.what), seconds];
    case "simulator":
      return [name, "simulator", String(outcome.seedCount), cut(outcome.what), seconds];
    case undefined:
      return [name, "NOBODY", String(outcome.seedCount), "", seconds];
  }
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  return rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

function cut(what: string): string {
  const line = what.replaceAll(/\s+/g, " ");
  return line.length <= WHAT_MAX_LENGTH ? line : `${line.slice(0, WHAT_MAX_LENGTH - 1)}…`;
}

function seeds(count: number): string {
  return count === 1 ? "1 seed" : `${count} seeds`;
}
