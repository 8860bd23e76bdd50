import { describe, expect, it } from "vitest";
import { parseStoreConfig } from "../config.ts";
import { SimClock } from "../testing/index.ts";
import { voteGuardEndMs } from "./peer-start.ts";

/** No election comes sooner after a leader's contact. */
const ELECTION_MS = 10 * 50;
const settings = { dataDir: "memory", tickMs: 50, electionTicks: 11, leaseMs: 400 };

/** How long a peer that begins a second after the Store gives no vote, in ms; negative: it may at once. */
async function silentForMs(
  start: { isNew: boolean; mayBeForgotten?: boolean; takesOver?: boolean },
  ownLeases: { leaseMs?: number; leaseReads?: boolean } = {},
): Promise<number> {
  const config = parseStoreConfig({ ...settings, ...ownLeases });
  const clock = new SimClock();
  const startedMs = clock.monotonicMs();
  await clock.run(1_000);
  return voteGuardEndMs({ config, startedMs, clock }, start) - clock.monotonicMs();
}

describe("voteGuardEndMs", () => {
  it("holds back the votes of a peer that a former run had, for a lease from the start", async () => {
    expect(await silentForMs({ isNew: false })).toBeCloseTo(ELECTION_MS - 1_000);
  });

  it.each([{ leaseReads: false }, { leaseMs: 1 }])(
    "SPEC-R5: does so whatever leases are here, such as %j: the one that was acknowledged is another Store's",
    async (ownLeases) => {
      expect(await silentForMs({ isNew: false }, ownLeases)).toBeCloseTo(ELECTION_MS - 1_000);
    },
  );

  it("lets a new peer vote at once", async () => {
    expect(await silentForMs({ isNew: true })).toBe(Number.NEGATIVE_INFINITY);
  });

  it("holds back those of a new peer that a crash may have made the Store forget", async () => {
    expect(await silentForMs({ isNew: true, mayBeForgotten: true })).toBeCloseTo(ELECTION_MS - 1_000);
  });

  it("SPEC-R5: holds back a split's peer for a lease from now, if an empty one of its id was here", async () => {
    expect(await silentForMs({ isNew: true, takesOver: true })).toBeCloseTo(ELECTION_MS);
  });
});
