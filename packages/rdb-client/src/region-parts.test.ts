import { type Region, SeededRandom, type StoreId, peerId, regionId, storeId } from "@flaredb/rdb-base";
import { expect, test } from "vitest";
import type { ClientContext, Terms } from "./call-context.ts";
import type { KvCallSpec } from "./kv-call.ts";
import { RegionCache, type RegionEntry } from "./region-cache.ts";
import { Misfit, forEachRegion } from "./region-parts.ts";
import type { RequestSender } from "./request-sender.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { WriteSessions } from "./write-sessions.ts";

const ON_STORE: StoreId = storeId(1);

function region(id: number, startKey: number[], endKey: number[], version: number): Region {
  return {
    id: regionId(id),
    startKey: Uint8Array.from(startKey),
    endKey: Uint8Array.from(endKey),
    epoch: { confVer: 1, version },
    peers: [{ id: peerId(1), storeId: ON_STORE, role: "Voter" }],
  };
}

/** A sender that only finds Regions: `onLookup` learns the map, for as often as a key's Region is not known. */
function sceneWith(onLookup: (cache: RegionCache) => void) {
  const clock = new ManualClock();
  const sessions = new WriteSessions({ clock, random: new SeededRandom(1) });
  const cache = new RegionCache({ onForgotten: (entry) => sessions.forget(entry) });
  const sender: Pick<RequestSender, "send"> = {
    send(spec: KvCallSpec): void {
      onLookup(cache);
      spec.admit?.(cache.find(spec.key) as RegionEntry, undefined);
    },
  };
  const context: ClientContext = {
    cache,
    clock,
    sender: sender as RequestSender,
    deadlineMs: 1_000,
    readFrom: "leader",
  };
  return { cache, context, sessions };
}

const terms: Terms = { deadlineMs: 1_000, timeoutMs: 1_000, signal: undefined, readFrom: "leader" };

test("SPEC-R4: a lost batch that is cut while the map changes is one part for each Region", async () => {
  const { cache, context, sessions } = sceneWith((map) => {
    // What PD answers for the last key comes together with one more split of Region 1.
    map.insert(region(1, [], [50], 3));
    map.insert(region(3, [50], [100], 3));
    map.insert(region(2, [100], [], 2));
  });
  cache.insert(region(1, [], [], 1));
  const keys = [[1], [5], [200], [3]].map((key) => Uint8Array.from(key));
  const sent: { region: number; places: readonly number[]; sequence: number | undefined }[] = [];
  let isFirst = true;
  const outcomes = await forEachRegion(context, terms, keys, (part, identity) => {
    const entry = cache.find(part.key) as RegionEntry;
    if (isFirst) {
      isFirst = false;
      const lost = sessions.issue(entry, 0).open();
      lost.isUncertain = true;
      // The first half of the split is known at once, [100, ) is to be asked for.
      cache.insert(region(1, [], [100], 2));
      return Promise.resolve(new Misfit(lost));
    }
    const { id } = entry.region;
    sent.push({ region: id, places: part.places, sequence: identity?.sequence });
    return Promise.resolve({ answer: undefined, regionId: id });
  });
  expect(sent).toEqual([
    { region: 1, places: [0, 1, 3], sequence: 1 },
    { region: 2, places: [2], sequence: 1 },
  ]);
  expect(outcomes.map(({ error }) => error)).toEqual([undefined, undefined]);
});

test("keys whose Region is forgotten again are looked up again before anything is sent", async () => {
  let lookups = 0;
  const { cache, context } = sceneWith((map) => {
    lookups++;
    map.insert(lookups === 2 ? region(2, [100], [], 1) : region(1, [], [100], 1));
    if (lookups === 2) {
      map.invalidate(regionId(1));
    }
  });
  const parts = await forEachRegion(context, terms, [Uint8Array.of(1), Uint8Array.of(200)], ({ key }) =>
    Promise.resolve({ answer: undefined, regionId: (cache.find(key) as RegionEntry).region.id }),
  );
  expect(lookups).toBe(3);
  expect(parts).toMatchObject([{ places: [0] }, { places: [1] }]);
});
