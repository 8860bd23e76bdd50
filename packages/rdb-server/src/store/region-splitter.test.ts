import { FULL_RANGE, MiB, type Region, peerId, regionId, silentLogger, storeId } from "@flaredb/rdb-base";
import type { LogCommand } from "@flaredb/rdb-proto";
import { describe, expect, it } from "vitest";
import type { Peer } from "../peer/peer.ts";
import { SimClock, bytes, testEngine } from "../testing/index.ts";
import { RegionSplitter } from "./region-splitter.ts";

const region: Region = {
  ...FULL_RANGE,
  id: regionId(1),
  epoch: { confVer: 1, version: 1 },
  peers: [{ id: peerId(2), storeId: storeId(1), role: "Voter" }],
};

/** A leader that remembers so much of clients' writes, and what was proposed to it. */
function scene(sessionBytes: number): {
  readonly splitter: RegionSplitter;
  readonly proposed: LogCommand["command"][];
} {
  const clock = new SimClock();
  const proposed: LogCommand["command"][] = [];
  const peer = {
    ...{ region, regionId: region.id },
    changes: {
      refusal: () => undefined,
      propose: (body: LogCommand["command"]) => proposed.push(body) > 0,
    },
    merge: { sessionBytes },
  } as unknown as Peer;
  const splitter = new RegionSplitter({
    ...{ clock, engine: testEngine(clock), logger: silentLogger },
    peer: () => peer,
    allocateIds: () => Promise.resolve(100),
  });
  return { splitter, proposed };
}

describe("RegionSplitter", () => {
  it.each([
    { sessionBytes: 1 * MiB, cutCount: 64 },
    { sessionBytes: 64 * MiB, cutCount: 2 },
  ])(
    "cuts at $cutCount keys what remembers $sessionBytes bytes of writes",
    async ({ sessionBytes, cutCount }) => {
      const { splitter, proposed } = scene(sessionBytes);
      const keys = Array.from({ length: cutCount }, (_, place) => bytes(`k${place + 10}`));
      expect(await splitter.split({ regionId: region.id, epoch: region.epoch, keys, partCount: 0 })).toEqual({
        ok: true,
      });
      expect(proposed).toMatchObject([{ case: "split" }]);
    },
  );

  it("does not cut where the copies of what is remembered of writes would be too much for one part", async () => {
    const { splitter, proposed } = scene(64 * MiB);
    const keys = ["a", "b", "c"].map((key) => bytes(key));
    expect(
      await splitter.split({ regionId: region.id, epoch: region.epoch, keys, partCount: 0 }),
    ).toMatchObject({ ok: false, reason: "Busy" });
    expect(proposed).toEqual([]);
  });
});
