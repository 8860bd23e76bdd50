import { expect } from "vitest";
import { type CodeBlock, allDocuments, codeBlocks } from "./markdown.ts";
import { isNotRun, nameOf } from "./not-run.ts";
import type { Reader } from "./reader.ts";
import { promisedLines, runBlocks } from "./run-program.ts";
import { type ShellLine, shellLines } from "./shell.ts";

/** What of a document is run. */
export interface Followed {
  readonly path: string;
  readonly shell: readonly ShellLine[];
  /** One program. */
  readonly program: readonly CodeBlock[];
  /** It starts a cluster of processes, or asks one over HTTP. */
  readonly needsProcesses: boolean;
}

/** All documents of which something is run. */
export function followedDocuments(): Followed[] {
  return allDocuments().flatMap((path) => {
    const blocks = codeBlocks(path);
    const lines = blocks.flatMap(({ language, text }) => (language === "sh" ? shellLines(text) : []));
    const shell = lines.filter(({ source }) => !isNotRun(path, source));
    const program = blocks.filter(({ language, text }) => language === "ts" && !isNotRun(path, nameOf(text)));
    const needsProcesses = shell.some(({ source }) =>
      /^(?:npm start|npx rdb playground|curl)\b/.test(source),
    );
    return shell.length + program.length === 0 ? [] : [{ path, shell, program, needsProcesses }];
  });
}

/** Does all that a document says, in its order: first its shell, then its program. */
export async function follow({ path, shell, program }: Followed, reader: Reader): Promise<void> {
  for (const line of shell) {
    await reader.follow(line);
  }
  const printed = program.length === 0 ? [] : await runBlocks(path, program, await reader.pdAddress());
  expect(printed).toEqual(promisedLines(program));
}
