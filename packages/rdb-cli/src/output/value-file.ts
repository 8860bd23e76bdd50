import { writeFile } from "node:fs/promises";
import type { Writable } from "node:stream";
import { invalid } from "../input/bytes.ts";
import { write } from "../io.ts";

/**
 * Writes a value, byte by byte, to where `--value-file` says: a file, or stdout for `-`.
 *
 * @throws RdbError RDB_INVALID_ARGUMENT when the file cannot be written
 */
export async function writeValueFile(path: string, value: Uint8Array, stdout: Writable): Promise<void> {
  if (path === "-") {
    await write(stdout, value);
    return;
  }
  try {
    await writeFile(path, value);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalid("value-file", `--value-file ${path} cannot be written: ${reason}`);
  }
}
