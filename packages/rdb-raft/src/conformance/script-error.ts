/** A file that cannot be read as blocks, and the line at fault; the first line is 1. */
export class UnreadableFileError extends Error {
  override readonly name = "UnreadableFileError";
  readonly lineNumber: number;

  constructor(lineNumber: number, message: string) {
    super(message);
    this.lineNumber = lineNumber;
  }
}

/** A command that cannot be run as it is written: unknown, with an unknown option, or for a peer that is not there. */
export class BadScriptError extends Error {
  override readonly name = "BadScriptError";
}

/**
 * What a command failed with, where that is part of its output: the words that the data files expect.
 * Everything else that a runner throws is a mistake in the script or in the core, and ends the file.
 */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
}
