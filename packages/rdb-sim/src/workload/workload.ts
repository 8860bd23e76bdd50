import type { Violation } from "../check/violation.ts";
import type { RecordedClient } from "./recorded-client.ts";

/** Clients at work. They start with the constructor. */
export interface Workload {
  /** What its clients saw that cannot be, so far. What the history tells is found there. */
  readonly violations: readonly Violation[];
  /** Lets the calls under way end, and waits for them. */
  stop(): Promise<void>;
  /**
   * After `stop`, with the cluster healed: reads back what must be there.
   *
   * @throws RdbError when it cannot be read
   */
  finish(client: RecordedClient): Promise<void>;
}
