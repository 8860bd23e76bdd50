export { fileKind, runFile, type Difference, type FileKind, type FileReport } from "./run-file.ts";
export { UnreadableFileError } from "./script-error.ts";
export type { Comparison } from "./compare.ts";
