import { term } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { LeaderLease } from "./lease.ts";

const TERM = term(7);

describe("LeaderLease", () => {
  it("holds from the moment when the round was sent, not when it was answered", () => {
    const lease = new LeaderLease(800);
    lease.renew(1_000, TERM);
    expect(lease.isValid(1_799, TERM)).toBe(true);
    expect(lease.isValid(1_800, TERM)).toBe(false);
  });

  it("is not valid before any round", () => {
    expect(new LeaderLease(800).isValid(0, TERM)).toBe(false);
  });

  it("is not shortened by an older round that is answered late", () => {
    const lease = new LeaderLease(800);
    lease.renew(1_000, TERM);
    lease.renew(900, TERM);
    expect(lease.isValid(1_750, TERM)).toBe(true);
  });

  it("is of one term: neither an older nor a newer one may use it", () => {
    const lease = new LeaderLease(800);
    lease.renew(1_000, TERM);
    expect(lease.isValid(1_100, term(6))).toBe(false);
    expect(lease.isValid(1_100, term(8))).toBe(false);
    // The new term's first round was sent before the old term's last: it counts by itself.
    lease.renew(500, term(8));
    expect(lease.isValid(1_250, term(8))).toBe(true);
    expect(lease.isValid(1_350, term(8))).toBe(false);
  });

  it("stays off for the rest of a term in which it was turned off, and comes back in the next", () => {
    const lease = new LeaderLease(800);
    lease.renew(1_000, TERM);
    lease.turnOff(TERM);
    expect(lease.isValid(1_001, TERM)).toBe(false);
    lease.renew(1_100, TERM);
    expect(lease.isValid(1_101, TERM)).toBe(false);
    lease.renew(1_200, term(8));
    expect(lease.isValid(1_201, term(8))).toBe(true);
  });

  it("can be given up and renewed", () => {
    const lease = new LeaderLease(800);
    lease.renew(1_000, TERM);
    lease.expire();
    expect(lease.isValid(1_001, TERM)).toBe(false);
    lease.renew(1_100, TERM);
    expect(lease.isValid(1_101, TERM)).toBe(true);
  });

  it("wants to be renewed in its second half", () => {
    const lease = new LeaderLease(800);
    lease.renew(1_000, TERM);
    expect(lease.isEnding(1_400)).toBe(false);
    expect(lease.isEnding(1_401)).toBe(true);
  });

  it("with 0 ms is never valid", () => {
    const lease = new LeaderLease(0);
    lease.renew(1_000, TERM);
    expect(lease.isValid(1_000, TERM)).toBe(false);
  });
});
