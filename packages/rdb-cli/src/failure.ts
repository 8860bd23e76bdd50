import { RdbError } from "@flaredb/rdb-base";
import { type Io, write } from "./io.ts";
import { toJsonLine } from "./output/json.ts";

/** What the program exits with. */
export const exitCodes = {
  done: 0,
  /** The command was understood and did not succeed; what was asked for not being there is one case. */
  failed: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** Ctrl-C ended the waiting, not what was waited for. As shells have it: 128 and the signal's number. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Says on stderr, in one line, what went wrong and what to do; returns what to exit with. */
export async function reportFailure(caught: unknown, json: boolean, io: Io): Promise<ExitCode> {
  const error = RdbError.from(caught);
  const message = withAdvice(error);
  const line = json
    ? toJsonLine({ error: { code: error.code, message, details: error.details } })
    : `error: ${message}\n`;
  await write(io.stderr, line);
  if (error.code === "RDB_INTERNAL" && !json) {
    await write(io.stderr, `${causeOf(error)}\n`);
  }
  return isUsage(error) ? exitCodes.usage : exitCodes.failed;
}

// What PD refuses, such as a change that would cost the quorum, has no field of ours in its details.
function isUsage({ code, details }: RdbError): boolean {
  return (code === "RDB_INVALID_ARGUMENT" && "field" in details) || code === "RDB_CONFIG_INVALID";
}

/** What a person at a terminal can do about it, for errors that do not say so themselves. */
const advice: Partial<Record<RdbError["code"], string>> = {
  RDB_UNDETERMINED_RESULT: "the write may or may not have happened: read the key before you write again",
  RDB_STALE_COMMAND: "the write may or may not have happened: read the key before you write again",
  RDB_PD_UNAVAILABLE: "is the cluster running? `npm start` starts one, --pd names another",
  RDB_CLUSTER_NOT_BOOTSTRAPPED: "wait until enough Stores have registered: see `rdb cluster status`",
  RDB_SERVER_IS_BUSY: "try again, or allow more time with --timeout",
  RDB_DEADLINE_EXCEEDED: "see `rdb cluster status`, or allow more time with --timeout",
};

function withAdvice(error: RdbError): string {
  const line = error.message.replace(/\s*\n\s*/g, " ");
  const what = advice[error.code];
  return what === undefined || line.includes(what) ? line : `${line}; ${what}`;
}

function causeOf(error: RdbError): string {
  const cause = error.cause instanceof Error ? error.cause : error;
  return cause.stack ?? cause.message;
}
