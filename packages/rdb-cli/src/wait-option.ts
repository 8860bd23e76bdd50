import { Option } from "commander";

/** The option of every command that waits for its effect. */
export interface WaitOptions {
  /** False: --no-wait. */
  readonly wait: boolean;
}

/** `--no-wait`; `what` it prints instead. */
export function noWaitOption(what = "print the operator's id and do not wait for its end"): Option {
  return new Option("--no-wait", what);
}
