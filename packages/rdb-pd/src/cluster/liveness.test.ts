import { MINUTE_MS, storeId } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { pdLimits } from "../limits.ts";
import { Liveness } from "./liveness.ts";

const store = storeId(1);
const { storeDisconnectedAfterMs, storeDownAfterMs } = pdLimits;

describe("SPEC-M6: liveness by keepalive", () => {
  test.each([
    [0, "Up"],
    [storeDisconnectedAfterMs, "Up"],
    [storeDisconnectedAfterMs + 1, "Disconnected"],
    [storeDownAfterMs, "Disconnected"],
    [storeDownAfterMs + 1, "Down"],
  ])("%i ms after its last keepalive a Store is %s", (silentMs, expected) => {
    const liveness = new Liveness(500);
    liveness.heard(store, 1_000);
    expect(liveness.state(store, 1_000 + silentMs)).toBe(expected);
  });

  test("the limits are three keepalives and half an hour", () => {
    expect(storeDisconnectedAfterMs).toBe(3 * pdLimits.keepaliveEveryMs);
    expect(storeDownAfterMs).toBe(30 * MINUTE_MS);
  });

  test("after PD's start a Store is not up before it is heard of, and not down before half an hour", () => {
    const liveness = new Liveness(500);
    expect(liveness.state(store, 500)).toBe("Disconnected");
    expect(liveness.state(store, 500 + storeDownAfterMs)).toBe("Disconnected");
    expect(liveness.state(store, 501 + storeDownAfterMs)).toBe("Down");
    liveness.heard(store, 600 + storeDownAfterMs);
    expect(liveness.state(store, 600 + storeDownAfterMs)).toBe("Up");
  });

  test("a Store that was not heard of since PD's start keeps its address for as long as a living one would", () => {
    const liveness = new Liveness(500);
    expect(liveness.isSilent(store, 500 + storeDisconnectedAfterMs)).toBe(false);
    expect(liveness.isSilent(store, 501 + storeDisconnectedAfterMs)).toBe(true);
    liveness.heard(store, 7_000);
    expect(liveness.isSilent(store, 7_000 + storeDisconnectedAfterMs)).toBe(false);
  });
});
