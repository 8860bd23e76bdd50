import type { Clock } from "@flaredb/rdb-base";
import { type FaultCounts, FaultSwitch, type ProcessFaults } from "./process-faults.ts";

/** What whoever started the process sends it. */
export interface SetFaults {
  readonly type: "faults";
  readonly faults: ProcessFaults;
}

/** What the process answers: those faults are on, and what the ones before came to. */
export interface FaultsSet {
  readonly type: "faults set";
  readonly counts: FaultCounts;
}

/** The switch of this process' faults, which obeys whoever started it. */
export function listenForFaults(): FaultSwitch {
  const faults = new FaultSwitch();
  process.on("message", (message) => {
    if (isSetFaults(message)) {
      const answer: FaultsSet = { type: "faults set", counts: faults.set(message.faults) };
      process.send?.(answer);
    }
  });
  // To listen keeps a process alive; this one ends when it wants to.
  process.channel?.unref();
  return faults;
}

/** A clock whose wall time is off by what the switch says; nothing else is. */
export function offsetClock(clock: Clock, faults: FaultSwitch): Clock {
  return {
    wallMs: () => clock.wallMs() + faults.faults.wallOffsetMs,
    monotonicMs: () => clock.monotonicMs(),
    setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
    setImmediate: (callback) => clock.setImmediate(callback),
  };
}

function isSetFaults(message: unknown): message is SetFaults {
  return typeof message === "object" && message !== null && "type" in message && message.type === "faults";
}
