import type { Logger } from "@flaredb/rdb-base";
import { pino } from "pino";

/**
 * Logs as JSON lines on stdout. Raft's lines carry region, peer, term, index, commit and applied (SPEC R8). Written at
 * once, so that a killed process loses none.
 */
export function makeLogger(level: string): Logger {
  return pino({ level, base: { program: "rdb-server" } });
}
