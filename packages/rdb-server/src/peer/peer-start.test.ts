import { describe, expect, it } from "vitest";
import { parseStoreConfig } from "../config.ts";
import { SimClock } from "../testing/index.ts";
import { voteGuardEndMs } from "./peer-start.ts";

const config = parseStoreConfig({ dataDir: "memory", leaseMs: 500 });

/** How long a peer that begins a second after the Store gives no vote, in ms; negative: it may at once. */
async function silentForMs(start: {
  isNew: boolean;
  mayBeForgotten?: boolean;
  takesOver?: boolean;
}): Promise<number> {
  const clock = new SimClock();
  const startedMs = clock.monotonicMs();
  await clock.run(1_000);
  return voteGuardEndMs({ config, startedMs, clock }, start) - clock.monotonicMs();
}

describe("voteGuardEndMs", () => {
  it("holds back the votes of a peer that a former run had, for a lease from the start", async () => {
    expect(await silentForMs({ isNew: false })).toBeCloseTo(550 - 1_000);
  });

  it("lets a new peer vote at once", async () => {
    expect(await silentForMs({ isNew: true })).toBe(Number.NEGATIVE_INFINITY);
  });

  it("holds back those of a new peer that a crash may have made the Store forget", async () => {
    expect(await silentForMs({ isNew: true, mayBeForgotten: true })).toBeCloseTo(550 - 1_000);
  });

  it("SPEC-R5: holds back a split's peer for a lease from now, if an empty one of its id was here", async () => {
    expect(await silentForMs({ isNew: true, takesOver: true })).toBeCloseTo(550);
  });
});
