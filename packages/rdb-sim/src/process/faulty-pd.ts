import { systemClock, systemRandom } from "@flaredb/rdb-base";
import { runPdProcess } from "@flaredb/rdb-pd";
import { faultyWire } from "./faulty-wire.ts";
import { listenForFaults, offsetClock } from "./listen.ts";
import { SlowRawEngine } from "./slow-raw-engine.ts";

/** `rdb-pd` as it is, with something between it and its machine that whoever started it may switch on. */
export async function faultyPd(argv: readonly string[]): Promise<void> {
  const faults = listenForFaults();
  await runPdProcess(argv, {
    clock: (clock) => offsetClock(clock, faults),
    wire: (wire) => faultyWire(wire, faults, systemRandom),
    rawEngine: (raw) => new SlowRawEngine(raw, faults, systemClock),
  });
}
