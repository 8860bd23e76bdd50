import { open, rename, stat } from "node:fs/promises";

/** A log larger than this is put aside when its process starts; one such older log is kept. */
const LOG_MAX_BYTES = 16 * 1024 * 1024;

/** So much of a log's end is read to find its last line. */
const TAIL_BYTES = 16 * 1024;

/** Puts a log that has grown large aside, in place of the one put aside before. */
export async function rotateLog(path: string): Promise<void> {
  const sizeBytes = await sizeOf(path);
  if (sizeBytes > LOG_MAX_BYTES) {
    await rename(path, `${path}.old`);
  }
}

/** The last thing that a process said, as one line; undefined when it said nothing. */
export async function lastLogLine(path: string): Promise<string | undefined> {
  const lines = (await readTail(path)).split("\n").filter((line) => line.trim() !== "");
  const told = lines.map(describe);
  // A stack trace follows what went wrong: the last line that is no part of one.
  return (
    told.findLast((line) => line.isProblem)?.text ?? told.findLast((line) => !/^\s+at /.test(line.text))?.text
  );
}

const ERROR_LEVEL = 50;

function describe(line: string): { readonly text: string; readonly isProblem: boolean } {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    // Not structured: what Node itself prints when a process falls.
    return { text: line.trim(), isProblem: /^(\w*error\b|error:)/i.test(line.trim()) };
  }
  const level = typeof entry["level"] === "number" ? entry["level"] : 0;
  const details = [entry["msg"], entry["error"]].filter((part) => typeof part === "string");
  return { text: details.join(": "), isProblem: level >= ERROR_LEVEL };
}

async function readTail(path: string): Promise<string> {
  const sizeBytes = await sizeOf(path);
  if (sizeBytes === 0) {
    return "";
  }
  const handle = await open(path, "r");
  try {
    const length = Math.min(sizeBytes, TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, sizeBytes - length);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await handle.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return 0;
    }
    throw error;
  }
}
