import { readFile } from "node:fs/promises";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { root } from "../source-files.ts";
import { runProgram } from "./run-program.ts";

/**
 * What publint and attw find wrong with a packed package: files that are named and not there, types that do not fit
 * what is loaded.
 */
export async function lintPackage(tarball: string): Promise<string[]> {
  return [...(await publishFaults(tarball)), ...(await typeFaults(tarball))];
}

async function publishFaults(tarball: string): Promise<string[]> {
  const bytes = await readFile(tarball);
  const content = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const { messages, pkg } = await publint({ pack: { tarball: content }, strict: true });
  return messages.map((message) => formatMessage(message, pkg) ?? message.code);
}

// It is for Node and bundlers, as ES modules alone: nobody requires it.
async function typeFaults(tarball: string): Promise<string[]> {
  try {
    const args = ["attw", tarball, "--profile", "esm-only", "--format", "ascii"];
    const printed = await runProgram("npx", args, { cwd: root });
    // To attw a package without types is in order. Ours all have some.
    return printed.includes("does not contain types") ? ["it has no types"] : [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}
