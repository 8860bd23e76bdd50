import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../source-files.ts";

/** A fenced block of a document. */
export interface CodeBlock {
  /** `ts`, `sh`, or what else stands first behind the fence. */
  readonly language: string;
  /** What stands behind the language: `not-run` for what takes minutes, or a cluster of its own. */
  readonly mark: string;
  readonly text: string;
  /** Of its first fence, from 1. */
  readonly line: number;
}

/** The fenced blocks of a document, in order. */
export function codeBlocks(path: string): CodeBlock[] {
  const text = readFileSync(join(root, path), "utf8");
  return [...text.matchAll(/^```(\S*)[ \t]*(.*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    language: match[1] as string,
    mark: (match[2] as string).trim(),
    text: match[3] as string,
    line: text.slice(0, match.index).split("\n").length,
  }));
}

/** One command of a block of shell, and what the document says it prints. */
export interface DocumentedCommand {
  readonly words: readonly string[];
  /** Behind `# → `; undefined: it is not said. */
  readonly output: string | undefined;
}

/** The commands of a block: a line each; what stands behind a `#` is for the reader. */
export function commandsOf({ text }: CodeBlock): DocumentedCommand[] {
  return text
    .split("\n")
    .map((line) => /^([^#]*)(?:#\s*(?:→ (.*))?.*)?$/.exec(line))
    .flatMap((match) => {
      const words = [...(match?.[1] ?? "").matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
        ([, single, double, bare]) => single ?? double ?? bare ?? "",
      );
      return words.length === 0 ? [] : [{ words, output: match?.[2]?.trim() }];
    });
}
