import fc from "fast-check";
import { expect, test } from "vitest";
import { EntryIdentities, type RequestIdentity } from "./request-identity.ts";

const LOG_TIME_MS = 1_000;

/** Requests of few clients, many of them in runs, some without identity. */
const requests = fc.array(
  fc.option(
    fc.record({
      clientId: fc.constantFrom(1n, 2n),
      lowestOpenSequence: fc.constantFrom(1, 2, 3),
      sequence: fc.integer({ min: 3, max: 7 }),
      issuedAtMs: fc.constantFrom(900, 1_000, 1_001),
    }),
    { freq: 8 },
  ),
);

test("an entry names each write's client, sequence and time of issue, and each client's greatest floor", () => {
  fc.assert(
    fc.property(requests, (drawn) => {
      const identities = new EntryIdentities(LOG_TIME_MS);
      for (const one of drawn) {
        identities.add(one === null ? undefined : identityOf(one));
      }
      const entry = identities.entry();
      const named = entry?.runs.flatMap((run) =>
        Array.from({ length: run.count }, (_, offset) =>
          run.firstSequence === 0
            ? null
            : {
                clientId: entry.sessions[run.session]?.clientId,
                sequence: run.firstSequence + offset,
                issuedAtMs: LOG_TIME_MS + run.issuedOffsetMs,
              },
        ),
      );
      const hasAny = drawn.some((one) => one !== null);
      expect(named).toEqual(
        hasAny
          ? drawn.map(
              (one) => one && { clientId: one.clientId, sequence: one.sequence, issuedAtMs: one.issuedAtMs },
            )
          : undefined,
      );
      for (const { clientId, lowestOpenSequence } of entry?.sessions ?? []) {
        const told = drawn
          .filter((one) => one?.clientId === clientId)
          .map((one) => one?.lowestOpenSequence ?? 0);
        expect(lowestOpenSequence).toBe(Math.max(...told));
      }
    }),
  );
});

test("what one message brings is one run", () => {
  const identities = new EntryIdentities(LOG_TIME_MS);
  for (let sequence = 5; sequence < 69; sequence++) {
    identities.add(identityOf({ clientId: 1n, lowestOpenSequence: 1, sequence, issuedAtMs: 990 }));
  }
  expect(identities.entry()?.runs).toMatchObject([{ firstSequence: 5, count: 64, issuedOffsetMs: -10 }]);
});

function identityOf(one: {
  clientId: bigint;
  lowestOpenSequence: number;
  sequence: number;
  issuedAtMs: number;
}): RequestIdentity {
  const { clientId, lowestOpenSequence, sequence, issuedAtMs } = one;
  return {
    session: { $typeName: "rdb.v1.ClientSession", clientId, lowestOpenSequence },
    sequence,
    issuedAtMs,
  };
}
