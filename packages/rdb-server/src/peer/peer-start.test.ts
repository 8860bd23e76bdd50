import { type Region, index, peerId, regionId, storeId, term } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { parseStoreConfig } from "../config.ts";
import { SimClock, bytes } from "../testing/index.ts";
import { voteGuardEndMs } from "./peer-start.ts";

const applyState = { index: index(5), term: term(5), revision: 0, logTimeMs: 0 };
const config = parseStoreConfig({ dataDir: "memory", leaseMs: 500 });

function regionOf(voterCount: number): Region {
  const peers = Array.from({ length: voterCount }, (_, at) => ({
    ...{ id: peerId(at + 1), storeId: storeId(at + 1), role: "Voter" as const },
  }));
  const range = { startKey: bytes(""), endKey: bytes("") };
  return { id: regionId(1), ...range, epoch: { confVer: 1, version: 1 }, peers };
}

/** How long a peer that begins a second after the Store gives no vote, in ms; negative: it may at once. */
async function silentForMs(
  start: { isNew: boolean; takesOver?: boolean; isInitialised?: boolean },
  voterCount = 3,
): Promise<number> {
  const clock = new SimClock();
  const startedMs = clock.monotonicMs();
  await clock.run(1_000);
  const region = regionOf(voterCount);
  return voteGuardEndMs({ config, startedMs, clock }, { region, applyState, ...start }) - clock.monotonicMs();
}

describe("voteGuardEndMs", () => {
  it("holds back the votes of a peer that a former run had, for a lease from the start", async () => {
    expect(await silentForMs({ isNew: false })).toBeCloseTo(550 - 1_000);
  });

  it("lets a new peer vote at once, and one that is alone", async () => {
    expect(await silentForMs({ isNew: true })).toBe(Number.NEGATIVE_INFINITY);
    expect(await silentForMs({ isNew: false }, 1)).toBe(Number.NEGATIVE_INFINITY);
  });

  it("SPEC-R5: holds back those of an empty peer, which knows of no other voter", async () => {
    expect(await silentForMs({ isNew: false, isInitialised: false }, 1)).toBeCloseTo(550 - 1_000);
  });

  it("SPEC-R5: holds back a split's peer for a lease from now, if an empty one of its id was here", async () => {
    expect(await silentForMs({ isNew: true, takesOver: true })).toBeCloseTo(550);
  });
});
