import { index } from "@flaredb/rdb-base";
import { beforeEach, describe, expect, it } from "vitest";
import { SessionBound } from "./session-bound.ts";
import { SessionTable } from "./session-table.ts";

const CLIENT_ID = 7;
let table: SessionTable;
let bound: SessionBound;
let at = 1;

function record(clientId: number, floor: number, sequences: readonly number[]): void {
  table.add({
    index: index(at++),
    logTimeMs: 1_000,
    sizeBytes: 100,
    clients: [{ clientId, floor, runs: sequences.map((first) => ({ first, count: 1 })) }],
  });
}

function refusal(
  sequence: number,
  floor: number,
  clientId = CLIENT_ID,
  inFlightCount = 0,
): string | undefined {
  const session = {
    $typeName: "rdb.v1.ClientSession",
    clientId: BigInt(clientId),
    lowestOpenSequence: floor,
  } as const;
  return bound.refusal(table, { session, sequence, issuedAtMs: 1_000 }, inFlightCount);
}

beforeEach(() => {
  table = new SessionTable();
  bound = new SessionBound({ maxCount: 100, maxBytes: 10_000 });
  at = 1;
});

describe("SessionBound", () => {
  it("counts what is in flight, in writes and in bytes", () => {
    expect(refusal(1, 1, CLIENT_ID, 99)).toBeUndefined();
    expect(refusal(1, 1, CLIENT_ID, 100)).toBe("too many writes are remembered");
    bound = new SessionBound({ maxCount: 1_000, maxBytes: 3_200 });
    expect(refusal(1, 1, CLIENT_ID, 99)).toBeUndefined();
    expect(refusal(1, 1, CLIENT_ID, 100)).toBe("too many writes are remembered");
  });

  it("lets a floor make room once, however many writes tell it before one is applied", () => {
    record(CLIENT_ID, 1, [1, 2, 3]);
    expect(refusal(9, 2, CLIENT_ID, 100)).toBeUndefined();
    expect(refusal(10, 2, CLIENT_ID, 100)).toBeDefined();
    expect(refusal(11, 3, CLIENT_ID, 100)).toBeUndefined();
    // Nothing is open from 4 on.
    expect(refusal(12, 4, CLIENT_ID, 100)).toBeUndefined();
    expect(refusal(13, 9, CLIENT_ID, 100)).toBeDefined();
    expect(refusal(13, 1_000_000, CLIENT_ID, 100)).toBeDefined();
    // Room was found meanwhile: from here on it counts anew.
    expect(refusal(14, 2)).toBeUndefined();
    expect(refusal(15, 2, CLIENT_ID, 100)).toBeUndefined();
  });

  it("lets a floor be told again when what told it came to nothing", () => {
    record(
      CLIENT_ID,
      1,
      Array.from({ length: 25 }, (_, place) => 1 + place),
    );
    expect(refusal(26, 26)).toBeUndefined();
    expect(refusal(27, 27, CLIENT_ID, 1)).toBeDefined();
    // The write that told it was refused for its age, or a full queue: nothing is in flight, and no room was made.
    expect(refusal(28, 28)).toBeUndefined();
  });

  it("takes what records nothing: a retry, and what is closed", () => {
    record(CLIENT_ID, 5, [5, 6]);
    expect(refusal(6, 5, CLIENT_ID, 100)).toBeUndefined();
    expect(refusal(4, 4, CLIENT_ID, 100)).toBeUndefined();
    expect(refusal(7, 5, CLIENT_ID, 100)).toBeDefined();
    expect(refusal(6, 5, 8, 100)).toBeDefined();
  });

  it("SPEC-R4: gives one client a quarter, until its floor rises or its records are over", () => {
    const sequences = Array.from({ length: 25 }, (_, place) => 1 + place);
    record(CLIENT_ID, 1, sequences);
    expect(refusal(26, 1)).toBe("too many writes of the client are remembered");
    expect(refusal(1, 1, 8)).toBeUndefined();
    record(CLIENT_ID, 3, [26]);
    expect(table.client(CLIENT_ID)?.openCount).toBe(24);
    expect(refusal(27, 3)).toBeUndefined();
    // Parts of one batch count each.
    record(CLIENT_ID, 3, [26]);
    expect(refusal(27, 3)).toBeDefined();
    record(CLIENT_ID, 27, [27]);
    expect(table.client(CLIENT_ID)?.openCount).toBe(1);
  });

  it("forgets with a row what it counted", () => {
    record(CLIENT_ID, 1, [1, 2]);
    table.add({
      index: index(at++),
      logTimeMs: 50_000,
      sizeBytes: 100,
      clients: [{ clientId: CLIENT_ID, floor: 1, runs: [{ first: 2, count: 2 }] }],
    });
    expect(table.client(CLIENT_ID)?.openCount).toBe(4);
    table.expire(70_000, 64);
    expect(table.client(CLIENT_ID)?.openCount).toBe(2);
  });
});
