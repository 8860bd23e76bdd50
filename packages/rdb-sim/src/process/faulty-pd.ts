import { systemClock } from "@flaredb/rdb-base";
import { runPdProcess } from "@flaredb/rdb-pd";
import { listenForFaults, offsetClock } from "./listen.ts";

/** `rdb-pd` as it is, with a wall clock that whoever started it may move. */
export async function faultyPd(argv: readonly string[]): Promise<void> {
  await runPdProcess(argv, offsetClock(systemClock, listenForFaults()));
}
