import { RdbError, hasCode } from "@flaredb/rdb-base";
import { RdbClient } from "@flaredb/rdb-client";
import type { CallRecorder } from "../workload/call-recorder.ts";
import type { Program } from "./sim-process.ts";

/** A client that finds no placement driver tries again after this. */
const CONNECT_PAUSE_MS = 200;

/** The production client; its application waits until PD answers. */
export function clientProgram(
  pdAddresses: readonly string[],
  deadlineMs: number,
  onAnswer: CallRecorder["onAnswer"],
): Program<RdbClient> {
  return {
    async start({ clock, random, wire, signal }) {
      for (;;) {
        try {
          return await RdbClient.connectOver(
            { pd: pdAddresses, deadlineMs },
            { clock, random, wire, onAnswer },
          );
        } catch (error) {
          if (!hasCode(error, "RDB_PD_UNAVAILABLE")) {
            throw error;
          }
        }
        if (signal.aborted) {
          throw new RdbError("RDB_CLOSED", "the client was stopped before it found PD");
        }
        await new Promise<void>((resolve) => clock.setTimer(CONNECT_PAUSE_MS, resolve));
      }
    },
    /** Its application is part of the simulator: calls under way end, and nobody knows what became of writes. */
    killed: (client) => client.close(),
    stop(client) {
      client.close();
      return Promise.resolve();
    },
  };
}
