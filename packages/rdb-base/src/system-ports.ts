import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";

// The host's globals, named here because this package is compiled without Node's or the browser's types.
declare const performance: { now(): number };
declare const setTimeout: (callback: () => void, delayMs: number) => unknown;
declare const clearTimeout: (handle: unknown) => void;
declare const setImmediate: (callback: () => void) => unknown;

/** The machine's clock. Only a `main.ts`, or a client's constructor, makes one. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  setImmediate(callback) {
    setImmediate(callback);
  },
};

/** The machine's chance. Only a `main.ts`, or a client's constructor, makes one. */
export const systemRandom: Random = {
  nextInt: (bound) => Math.floor(Math.random() * bound),
  nextFraction: () => Math.random(),
};
