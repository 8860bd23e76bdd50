import { RdbError } from "@flaredb/rdb-base";
import type { InboundStream, ServerStreamHandlers } from "@flaredb/rdb-wire";

/** What is said to a call that comes before the Store knows who it is and has opened its Regions. */
export function storeIsStarting(): RdbError {
  return new RdbError("RDB_UNAVAILABLE", "the Store is starting");
}

/** Ends a stream that comes too early. */
export function refuseWhileStarting<Out, In>(stream: InboundStream<Out>): ServerStreamHandlers<In> {
  stream.close(storeIsStarting());
  return { onMessage: () => {}, onEnd: () => {}, onClosed: () => {} };
}
