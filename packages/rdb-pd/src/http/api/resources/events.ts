import { Readable } from "node:stream";
import { RdbError, assertNever } from "@flaredb/rdb-base";
import { z } from "zod";
import type { EventHub, EventQueue, NumberedEvent } from "../../../events/event-hub.ts";
import { operatorToProto } from "../../../operator/operator-codec.ts";
import type { PlacementDriver } from "../../../placement-driver.ts";
import { routeToProto, storeStatusToProto } from "../../../rpc/view-codec.ts";
import { operatorDocument } from "../documents/operator.ts";
import { regionDocument } from "../documents/region.ts";
import { storeDocument } from "../documents/store.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { problemOf } from "../problem.ts";

/** A dropped reader has at least this long for reading why, and at most twice; then it is cut off. */
const END_GRACE_MS = 10_000;

/** What a reader waits before it comes back, unless it knows better. */
const RETRY_MS = 1_000;

export const eventEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/events",
    id: "watchEvents",
    tag: "events",
    summary: "What happens from now on, as server-sent events",
    description:
      "`operator`: an Operator began or ended, with all of it. `region`: a Region changed, with how it is now, or `region-gone` with its id. `store`: a Store is in another state, with how it is now. `end`: a problem that says why nothing more comes: the reader is too slow (RDB_SERVER_IS_BUSY), or this member leads no more (RDB_NOT_LEADER); read everything again, and watch anew.",
    access: "leader",
    mediaType: "text/event-stream",
    answer: z.string(),
    handle: (_input, { driver }) => eventStream(driver.events, driver),
  }),
];

/** The events as text, until the reader goes, or is dropped. */
function eventStream(events: EventHub, driver: PlacementDriver): Readable {
  const queue = events.subscribe();
  const texts = eventTexts(queue, driver);
  const stream = new Readable({
    read: () => {
      texts.next().then(
        ({ done, value }) => stream.push(done === true ? null : value),
        (error: unknown) => stream.destroy(RdbError.from(error)),
      );
    },
    destroy: (error, done) => {
      clearInterval(cut);
      events.release(queue);
      done(error);
    },
  });
  let wasEnded = false;
  const cut = setInterval(() => {
    if (wasEnded) {
      stream.destroy();
    }
    wasEnded = queue.isEnded;
  }, END_GRACE_MS);
  cut.unref();
  return stream;
}

async function* eventTexts(queue: EventQueue, driver: PlacementDriver): AsyncGenerator<string> {
  yield `retry: ${RETRY_MS}\n\n`;
  try {
    for await (const event of queue) {
      const { name, data } = described(event, driver);
      yield `id: ${event.number}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
    }
  } catch (error) {
    yield `event: end\ndata: ${JSON.stringify(problemOf(RdbError.from(error)))}\n\n`;
  }
}

function described(
  event: NumberedEvent,
  driver: PlacementDriver,
): { readonly name: string; readonly data: object } {
  switch (event.kind) {
    case "operator":
      return { name: "operator", data: operatorDocument(operatorToProto(event.operator)) };
    case "region": {
      const region = driver.cluster.region(event.regionId);
      return region === undefined
        ? { name: "region-gone", data: { id: event.regionId } }
        : { name: "region", data: regionDocument(routeToProto(region)) };
    }
    case "store":
      return {
        name: "store",
        data: storeDocument(storeStatusToProto(driver.lookup.storeById(event.storeId))),
      };
    default:
      return assertNever(event, "kind of an event");
  }
}
