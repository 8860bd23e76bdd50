import { peerId } from "@flaredb/rdb-base";
import { describe, expect, it } from "vitest";
import { Hibernation } from "./hibernation.ts";

const A = peerId(1);
const B = peerId(2);

describe("Hibernation", () => {
  it("asks once idle, and again when not all agreed in that time", () => {
    const state = new Hibernation(1_000, 0);
    expect(state.shouldAsk(999)).toBe(false);
    expect(state.shouldAsk(1_000)).toBe(true);
    state.ask([A, B], 1_000);
    expect(state.shouldAsk(1_500)).toBe(false);
    expect(state.shouldAsk(2_000)).toBe(true);
  });

  it("may sleep when the last voter agreed", () => {
    const state = new Hibernation(1_000, 0);
    state.ask([A, B], 1_000);
    expect(state.agreed(A)).toBe(false);
    expect(state.agreed(A)).toBe(false);
    expect(state.agreed(B)).toBe(true);
    expect(state.isAsleep).toBe(false);
    state.sleep();
    expect(state.isAsleep).toBe(true);
    expect(state.shouldAsk(99_000)).toBe(false);
  });

  it("takes no agreement once something happened", () => {
    const state = new Hibernation(1_000, 0);
    state.ask([A], 1_000);
    expect(state.noteActivity(1_001, true)).toBe(false);
    expect(state.agreed(A)).toBe(false);
    expect(state.shouldAsk(2_000)).toBe(false);
    expect(state.shouldAsk(2_001)).toBe(true);
  });

  it("lets a Region that nobody wants sleep sooner, and one that was wanted keep its time", () => {
    const state = new Hibernation(10_000, 0);
    expect(state.shouldAsk(1_999)).toBe(false);
    expect(state.shouldAsk(2_000)).toBe(true);
    state.noteActivity(3_000, true);
    state.noteActivity(4_000, false);
    expect(state.shouldAsk(12_999)).toBe(false);
    expect(state.shouldAsk(13_000)).toBe(true);
    state.noteActivity(12_500, false);
    expect(state.shouldAsk(13_000)).toBe(false);
    expect(state.shouldAsk(14_500)).toBe(true);
    state.ask([A], 14_500);
    expect(state.shouldAsk(16_499)).toBe(false);
    expect(state.shouldAsk(16_500)).toBe(true);
  });

  it("tells whether activity woke it", () => {
    const state = new Hibernation(1_000, 0);
    state.sleep();
    expect(state.noteActivity(5, true)).toBe(true);
    expect(state.isAsleep).toBe(false);
    expect(state.noteActivity(6, true)).toBe(false);
  });

  it("never asks with an idle time of 0", () => {
    expect(new Hibernation(0, 0).shouldAsk(1e9)).toBe(false);
  });
});
