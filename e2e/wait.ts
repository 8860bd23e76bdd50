const POLL_INTERVAL_MS = 20;

/**
 * Polls until `probe` returns something other than undefined or false.
 *
 * @param what goes into the error when time runs out, with what the last probe threw
 */
export async function waitFor<Result>(
  what: string,
  timeoutMs: number,
  probe: () => Promise<Result | undefined | false> | Result | undefined | false,
): Promise<Result> {
  const deadlineMs = performance.now() + timeoutMs;
  let failure: unknown;
  for (;;) {
    try {
      const result = await probe();
      if (result !== undefined && result !== false) {
        return result;
      }
      failure = undefined;
    } catch (error) {
      // Not there yet; told when it stays so.
      failure = error;
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`${what} did not come about in ${timeoutMs} ms`, { cause: failure });
    }
    await pause(POLL_INTERVAL_MS);
  }
}

/** Only for what takes a certain time by its nature, such as a fault that lasts. Else: {@link waitFor}. */
export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
