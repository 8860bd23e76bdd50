import type { ServiceImpl } from "@connectrpc/connect";
import type { PdService, RegionHeartbeatRequest } from "@flaredb/rdb-proto";
import { fromRequestError } from "@flaredb/rdb-wire";
import type { HeartbeatStream } from "../heartbeat/heartbeat-streams.ts";
import type { PlacementDriver } from "../placement-driver.ts";
import { reportsFromProto } from "./report-codec.ts";
import { refusalsFromProto } from "./refusal-codec.ts";
import { senderFromProto } from "./sender.ts";

/**
 * The stream between a Store and PD. Its first message says whose it is; the commands flow from then on until the
 * Store ends it, its messages are refused, or PD stops.
 */
export function heartbeatHandler(driver: PlacementDriver): ServiceImpl<typeof PdService>["regionHeartbeat"] {
  return async function* regionHeartbeat(requests) {
    const messages = requests[Symbol.asyncIterator]();
    const first = await messages.next();
    if (first.done === true) {
      return;
    }
    const stream = driver.openStream(senderFromProto(first.value));
    // Not waited for: it ends with the requests, which end with the connection at the latest.
    void listen(driver, stream, first.value, messages);
    try {
      yield* stream.commands;
    } finally {
      driver.closeStream(stream);
    }
  };
}

/** Never rejects: what goes wrong ends the stream. */
async function listen(
  driver: PlacementDriver,
  stream: HeartbeatStream,
  first: RegionHeartbeatRequest,
  rest: AsyncIterator<RegionHeartbeatRequest>,
): Promise<void> {
  try {
    await take(driver, stream, first);
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
      if (stream.commands.isEnded) {
        // The Store has a newer stream, on which it says everything anew: what waited here is older than that.
        break;
      }
      await take(driver, stream, next.value);
    }
    driver.closeStream(stream);
  } catch (error) {
    driver.closeStream(stream, fromRequestError(error));
  }
}

function take(
  driver: PlacementDriver,
  stream: HeartbeatStream,
  request: RegionHeartbeatRequest,
): Promise<void> {
  const sender = senderFromProto(request);
  const reports = reportsFromProto(sender.storeId, request.regions);
  const refusals = refusalsFromProto(request.refusals);
  const recovery = { survey: request.survey, results: request.recoveryResults };
  return driver.heartbeats.timed("region", reports.length, () =>
    driver.regionHeartbeat(stream, sender, reports, refusals, recovery),
  );
}
