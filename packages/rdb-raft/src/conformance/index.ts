export { fileKind, runFile, type Difference, type FileKind, type FileReport } from "./run-file.ts";
export type { Comparison } from "./compare.ts";
