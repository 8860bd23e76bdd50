import type { Random } from "@flaredb/rdb-base";

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 2_000;

/** How long to wait before the next attempt: doubled from 100 ms to 2 s, drawn from its upper half. */
export function retryDelayMs(failedAttempts: number, random: Random): number {
  const delayMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(failedAttempts, 20));
  return delayMs * (0.5 + random.nextFraction() / 2);
}
