import type { Clock } from "@flaredb/rdb-base";

/** Resolves after `delayMs`, or as soon as `signal` fires. */
export function pause(clock: Pick<Clock, "setTimer">, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) {
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    const done = (): void => {
      timer.cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.setTimer(delayMs, done);
    signal.addEventListener("abort", done);
  });
}
