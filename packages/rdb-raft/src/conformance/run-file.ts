import { outputsMatch, normalise, type Comparison } from "./compare.ts";
import { confChangeRunner } from "./conf-change.ts";
import { parseBlocks, type Block } from "./datadriven.ts";
import { diffLines } from "./diff.ts";
import { interactionRunner } from "./interaction.ts";
import { quorumRunner } from "./quorum.ts";
import type { BlockRunner } from "./runner.ts";
import { BadScriptError } from "./script-error.ts";

/** What a data file tests. */
export type FileKind = "interaction" | "quorum" | "confchange";

/** A block whose output was not the expected one. */
export interface Difference {
  /** Where the block's command stands in the file; the first line is 1. */
  readonly lineNumber: number;
  readonly command: string;
  /** Expected and actual output, line by line; or what the block ended with. */
  readonly diff: string;
}

export interface FileReport {
  readonly blockCount: number;
  /** Empty when the file passes. */
  readonly differences: readonly Difference[];
}

const RUNNERS: Record<FileKind, () => BlockRunner> = {
  interaction: interactionRunner,
  quorum: quorumRunner,
  confchange: confChangeRunner,
};

/**
 * Runs a data file and compares what each block prints. A block that the runner or the core cannot finish ends the
 * file, because all blocks share one environment.
 *
 * @throws UnreadableFileError when the file itself cannot be read as blocks
 */
export function runFile(kind: FileKind, text: string, comparison: Comparison): FileReport {
  const blocks = parseBlocks(text);
  const run = RUNNERS[kind]();
  const differences: Difference[] = [];
  for (const block of blocks) {
    const outcome = runBlock(run, block);
    if (outcome.failure !== undefined) {
      return { blockCount: blocks.length, differences: [...differences, difference(block, outcome.failure)] };
    }
    if (!outputsMatch(block.expected, outcome.output, comparison)) {
      differences.push(difference(block, diffOf(block.expected, outcome.output, comparison)));
    }
  }
  return { blockCount: blocks.length, differences };
}

/** The kind of a file, from the folder that holds it or else from its first command. */
export function fileKind(folder: string, text: string): FileKind {
  if (folder === "interaction" || folder === "quorum" || folder === "confchange") {
    return folder;
  }
  switch (parseBlocks(text)[0]?.command) {
    case "committed":
    case "vote":
      return "quorum";
    case "simple":
    case "enter-joint":
    case "leave-joint":
      return "confchange";
    default:
      return "interaction";
  }
}

type Outcome = { readonly output: string; readonly failure?: undefined } | { readonly failure: string };

function runBlock(run: BlockRunner, block: Block): Outcome {
  try {
    return { output: run(block) };
  } catch (error) {
    return { failure: `ended with ${describeFailure(error)}` };
  }
}

/** A mistake of the script in a line; one of the core, an AssertionError above all, with where it happened. */
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  return error instanceof BadScriptError ? error.message : (error.stack ?? error.message);
}

function diffOf(expected: string, actual: string, comparison: Comparison): string {
  return comparison === "normalised"
    ? diffLines(normalise(expected), normalise(actual))
    : diffLines(expected, actual);
}

function difference(block: Block, diff: string): Difference {
  return { lineNumber: block.lineNumber, command: block.text, diff };
}
