import { codecCases } from "./codec-cases.ts";
import { engineCases } from "./engine-cases.ts";
import type { MicroCase } from "./micro-case.ts";
import { raftCases } from "./raft-cases.ts";

/** Every microbenchmark, in the order of a write's path. */
export const microCases: readonly MicroCase[] = [...codecCases, ...raftCases, ...engineCases];
