import { type RdbError, SeededRandom, errorCodes } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import { PdClient } from "./pd-client.ts";
import { RegionCache } from "./region-cache.ts";
import { RequestSender } from "./request-sender.ts";
import { FakeCluster } from "./testing/fake-cluster.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { WriteSessions } from "./write-sessions.ts";

const key = new TextEncoder().encode("k");

/** A client that takes no calls any more, and a write of it of which an attempt was lost. */
function closedSender() {
  const clock = new ManualClock();
  const random = new SeededRandom(1);
  const cluster = new FakeCluster(clock);
  const sessions = new WriteSessions({ clock, random });
  const cache = new RegionCache();
  cache.insert(cluster.region("k"));
  const entry = cache.find(key);
  const identity = entry && sessions.issue(entry, 0).open();
  const pd = new PdClient(cluster.pdConnector, ["pd-1:7400"]);
  const connector = cluster.storeConnector;
  const sender = new RequestSender({ cache, pd, connector, clock, random, sessions });
  sender.close();
  return { sender, identity };
}

function refusalOf(isUncertain: boolean): Promise<RdbError> {
  const { sender, identity } = closedSender();
  if (identity !== undefined) {
    identity.isUncertain = isUncertain;
  }
  return new Promise((resolve) => {
    sender.send({
      name: "batchPut",
      key,
      command: { case: "batchPut", value: { $typeName: "rdb.v1.BatchPutRequest", rows: [] } },
      isWrite: true,
      sizeBytes: 1,
      readFrom: "leader",
      deadlineMs: 1_000,
      timeoutMs: 1_000,
      signal: undefined,
      identity,
      resolve: () => {},
      reject: resolve,
    });
  });
}

test("a piece of a lost batch that is refused before it is sent may be applied all the same", async () => {
  const error = await refusalOf(true);
  expect(error).toMatchObject({ code: "RDB_UNDETERMINED_RESULT", cause: { code: "RDB_CLOSED" } });
  expect(error.message).toContain("was sent as part of a larger one");
  expect(errorCodes[error.code].write).toBe("unknown");
});

test("a write of which no attempt was lost is refused as what it is", async () => {
  expect(await refusalOf(false)).toMatchObject({ code: "RDB_CLOSED" });
});
