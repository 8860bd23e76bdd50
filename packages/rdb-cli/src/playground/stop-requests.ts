/** What asks the playground to stop: Ctrl-C and its kin, and the end of the program that started it. */
export interface StopRequests {
  /** Aborted at the first request. */
  readonly signal: AbortSignal;
  /** Resolves at the first request. */
  readonly first: Promise<void>;
  /** Called at each further request: somebody is in a hurry. */
  onRepeated(callback: () => void): void;
  dispose(): void;
}

/** One Ctrl-C may arrive twice: from the terminal, and passed on by npm. */
const REPEAT_AFTER_MS = 700;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Listens from now on, until disposed. */
export function stopRequests(): StopRequests {
  const controller = new AbortController();
  const { promise: first, resolve } = Promise.withResolvers<void>();
  let firstMs: number | undefined;
  let repeated = (): void => {};
  const request = (): void => {
    if (firstMs === undefined) {
      firstMs = performance.now();
      controller.abort();
      resolve();
    } else if (performance.now() - firstMs > REPEAT_AFTER_MS) {
      repeated();
    }
  };
  for (const signal of SIGNALS) {
    process.on(signal, request);
  }
  process.on("disconnect", request);
  return {
    signal: controller.signal,
    first,
    onRepeated(callback) {
      repeated = callback;
    },
    dispose() {
      for (const signal of SIGNALS) {
        process.off(signal, request);
      }
      process.off("disconnect", request);
    },
  };
}
