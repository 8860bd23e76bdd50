import { parseCommandLine, type CommandLine } from "./command-line.ts";
import { UnreadableFileError } from "./script-error.ts";

/** One case of a data-driven file: a command, its input, and the output that it must give. */
export interface Block extends CommandLine {
  /** The command as it stands in the file. */
  readonly text: string;
  /** Where the command stands in its file; the first line is 1. */
  readonly lineNumber: number;
  /** The lines between the command and `----`, trimmed; "" when there are none. */
  readonly input: string;
  /** The lines after `----`, each with its line's end; "" when there are none. */
  readonly expected: string;
}

const SEPARATOR = "----";

/**
 * Cuts a data-driven file into its blocks. Lines that begin with `#` outside of a block are comments.
 *
 * @throws UnreadableFileError when a command line cannot be read, or nothing says where its output begins
 */
export function parseBlocks(text: string): Block[] {
  const lines = text.split(/\r?\n/);
  const blocks: Block[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lineAt(lines, at).trim();
    if (line === "" || line.startsWith("#")) {
      at++;
      continue;
    }
    const [block, next] = parseBlock(lines, at);
    blocks.push(block);
    at = next;
  }
  return blocks;
}

/** The block whose command stands at `start`, and where to go on. */
function parseBlock(lines: readonly string[], start: number): [Block, number] {
  let at = start;
  let text = lineAt(lines, at).trim();
  while (text.endsWith("\\") && at + 1 < lines.length) {
    at++;
    text = `${text.slice(0, -1)} ${lineAt(lines, at).trim()}`;
  }
  const input: string[] = [];
  at++;
  while (at < lines.length && lines[at] !== SEPARATOR) {
    input.push(lineAt(lines, at));
    at++;
  }
  if (at >= lines.length) {
    throw new UnreadableFileError(start + 1, `no line ${SEPARATOR} follows: ${text}`);
  }
  const [expected, next] = parseExpected(lines, at + 1);
  const command = parseCommandLine(text, start + 1);
  return [
    {
      ...command,
      text,
      lineNumber: start + 1,
      input: input.join("\n").trim(),
      expected: joinLines(expected),
    },
    next,
  ];
}

/** What stands at `start`, up to a blank line, or up to two separators if it begins with one more separator. */
function parseExpected(lines: readonly string[], start: number): [string[], number] {
  const mayHoldBlankLines = lines[start] === SEPARATOR;
  const first = mayHoldBlankLines ? start + 1 : start;
  const isEnd = (at: number): boolean =>
    mayHoldBlankLines
      ? lines[at] === SEPARATOR && lines[at + 1] === SEPARATOR
      : lineAt(lines, at).trim() === "";
  let at = first;
  while (at < lines.length && !isEnd(at)) {
    at++;
  }
  return [lines.slice(first, at), mayHoldBlankLines ? at + 2 : at];
}

function lineAt(lines: readonly string[], at: number): string {
  return lines[at] ?? "";
}

function joinLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
