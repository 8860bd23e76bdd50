import { constants } from "node:http2";
import { type Clock, SECOND_MS, type Timer } from "@flaredb/rdb-base";
import type { ServerCall } from "./http2-driver.ts";

/** How long a caller may go on sending once its answer was written. */
export const ANSWERED_TIMEOUT_MS = 5 * SECOND_MS;

/**
 * Ends a call whose caller does not. A reset at once would overtake the answer; without one the call would count as open,
 * and take what is sent, for as long as its connection lives.
 */
export function resetWhenAnswered(stream: ServerCall, clock: Clock): void {
  let timer: Timer | undefined;
  stream.on("finish", () => {
    timer = clock.setTimer(ANSWERED_TIMEOUT_MS, () => stream.close(constants.NGHTTP2_CANCEL));
  });
  stream.on("close", () => timer?.cancel());
}
