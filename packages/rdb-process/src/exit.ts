import { constants } from "node:os";
import { RdbError } from "@flaredb/rdb-base";

/** Exit codes. A supervisor need not try again with what is wrong usage. */
export const exitCodes = { done: 0, failed: 1, wrongUsage: 2 } as const;

/** Ends the process with one line on stderr: for what it cannot live with. */
export function fail(error: unknown): never {
  const { code, message } = RdbError.from(error);
  // What is no RdbError is a fault of the program: its stack says where.
  const stack = error instanceof RdbError || !(error instanceof Error) ? "" : `\n${error.stack}`;
  process.stderr.write(`error: ${message} (${code})${stack}\n`);
  process.exit(code === "RDB_CONFIG_INVALID" ? exitCodes.wrongUsage : exitCodes.failed);
}

/** As shells name the end by a signal: 130 for SIGINT, 143 for SIGTERM. */
export function exitBySignal(signal: NodeJS.Signals): never {
  process.exit(128 + constants.signals[signal]);
}
