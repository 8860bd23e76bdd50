/**
 * What an interaction command failed with, where that is part of its output: the words that the data files expect.
 * Everything else that a runner throws is a mistake in the script or in the core, and ends the file.
 */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
}
