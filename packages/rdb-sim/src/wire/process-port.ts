import type { Clock } from "@flaredb/rdb-base";

/** One start of a process, as the network sees it; `ProcessClock` of rdb-server/testing is one. */
export interface ProcessPort extends Clock {
  readonly isDead: boolean;
  /** Runs something inside the process: now; when it is resumed, if it is stopped; never, when it is dead. */
  run(callback: () => void): void;
}
