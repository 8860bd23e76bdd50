import { exitBySignal } from "./exit.ts";

/** What a process does on signals. */
export interface SignalActions {
  /** Ends in good order, and the process with it. Called once. */
  readonly stop: (signal: NodeJS.Signals) => void;
  /** Reads the configuration again. */
  readonly reload: () => void;
}

/**
 * A terminal tells all processes of a group of its ctrl-C, and a parent like npm tells it once more: that is one wish.
 */
const SAME_WISH_MS = 500;

/** SIGTERM and SIGINT: stop; a second one ends at once, by its exit code. SIGHUP: reload, and nothing while it stops. */
export function onSignals({ stop, reload }: SignalActions): void {
  let stoppedMs: number | undefined;
  const onStop = (signal: NodeJS.Signals): void => {
    if (stoppedMs === undefined) {
      stoppedMs = performance.now();
      stop(signal);
    } else if (performance.now() - stoppedMs > SAME_WISH_MS) {
      exitBySignal(signal);
    }
  };
  process.on("SIGTERM", onStop);
  process.on("SIGINT", onStop);
  process.on("SIGHUP", () => {
    if (stoppedMs === undefined) {
      reload();
    }
  });
}
