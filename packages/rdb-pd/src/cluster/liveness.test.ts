import { MINUTE_MS, storeId } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { pdLimits } from "../limits.ts";
import { Liveness } from "./liveness.ts";

const store = storeId(1);
const { storeDisconnectedAfterMs } = pdLimits;
const storeDownAfterMs = 10 * MINUTE_MS;
const downAfterMs = (): number => storeDownAfterMs;

/** One each second, as in a process that is awake. */
function pulses(liveness: Liveness, fromMs: number, toMs: number): void {
  for (let now = fromMs; now <= toMs; now += pdLimits.pulseEveryMs) {
    liveness.pulse(now);
  }
}

describe("SPEC-M6: liveness by keepalive", () => {
  test.each([
    [0, "Up"],
    [storeDisconnectedAfterMs, "Up"],
    [storeDisconnectedAfterMs + 1, "Disconnected"],
    [storeDownAfterMs, "Disconnected"],
    [storeDownAfterMs + 1, "Down"],
  ])("%i ms after its last keepalive a Store is %s", (silentMs, expected) => {
    const liveness = new Liveness(500, downAfterMs);
    pulses(liveness, 500, 1_000 + silentMs);
    liveness.heard(store, 1_000);
    expect(liveness.state(store, 1_000 + silentMs)).toBe(expected);
  });

  test("one whose stream ends is disconnected at once, until it is heard of again, and down when its time is over", () => {
    const liveness = new Liveness(0, downAfterMs);
    liveness.heard(store, 1_000);
    liveness.hungUp(store);
    expect(liveness.state(store, 1_000)).toBe("Disconnected");
    // Its address stays its own for as long as that of one who is silent.
    expect(liveness.isSilent(store, 1_000)).toBe(false);
    liveness.heard(store, 2_000);
    expect(liveness.state(store, 2_000)).toBe("Up");
    liveness.hungUp(store);
    pulses(liveness, 2_000, 2_001 + storeDownAfterMs);
    expect(liveness.state(store, 2_001 + storeDownAfterMs)).toBe("Down");
  });

  test("it is disconnected once three keepalives were lost", () => {
    expect(storeDisconnectedAfterMs).toBe(3 * pdLimits.keepaliveEveryMs);
  });

  test("a PD that was away itself takes nobody for dead", () => {
    const liveness = new Liveness(0, downAfterMs);
    liveness.heard(store, 0);
    const backMs = storeDownAfterMs + 1;
    expect(liveness.state(store, backMs)).toBe("Disconnected");
    pulses(liveness, backMs, backMs + storeDownAfterMs);
    expect(liveness.state(store, backMs + storeDownAfterMs)).toBe("Disconnected");
    liveness.pulse(backMs + storeDownAfterMs + 1);
    expect(liveness.state(store, backMs + storeDownAfterMs + 1)).toBe("Down");
  });

  test("after PD's start a Store is not up before it is heard of, and not down before its time", () => {
    const liveness = new Liveness(500, downAfterMs);
    pulses(liveness, 500, 500 + storeDownAfterMs);
    expect(liveness.state(store, 500)).toBe("Disconnected");
    expect(liveness.state(store, 500 + storeDownAfterMs)).toBe("Disconnected");
    expect(liveness.state(store, 501 + storeDownAfterMs)).toBe("Down");
    liveness.heard(store, 600 + storeDownAfterMs);
    expect(liveness.state(store, 600 + storeDownAfterMs)).toBe("Up");
  });

  test("a Store that was not heard of since PD's start keeps its address for as long as a living one would", () => {
    const liveness = new Liveness(500, downAfterMs);
    pulses(liveness, 500, 6_500);
    expect(liveness.isSilent(store, 500 + storeDisconnectedAfterMs)).toBe(false);
    expect(liveness.isSilent(store, 501 + storeDisconnectedAfterMs)).toBe(true);
    liveness.heard(store, 7_000);
    expect(liveness.isSilent(store, 7_000)).toBe(false);
  });
});

describe("a PD that was stopped itself", () => {
  test("takes no Store for silent before it has listened again for as long as a keepalive may miss", () => {
    const liveness = new Liveness(0, downAfterMs);
    liveness.heard(store, 1_000);
    pulses(liveness, 1_000, 10_000);
    expect(liveness.isSilent(store, 10_000)).toBe(true);
    liveness.heard(store, 10_000);
    // Stopped from 10 s to 60 s; what waited in the sockets is worked on before the next pulse.
    expect(liveness.isSilent(store, 60_000)).toBe(false);
    liveness.pulse(60_000);
    for (let now = 61_000; now <= 66_000; now += 1_000) {
      liveness.pulse(now);
      expect(liveness.isSilent(store, now)).toBe(false);
    }
    expect(liveness.isSilent(store, 66_001)).toBe(true);
  });
});
