import { describe, expect, test } from "vitest";
import { type ActiveNetworkFault, type Hosts, linkUnder } from "./network-faults.ts";

const stores = ["s1", "s2", "s3", "s4", "s5"];
const hosts: Hosts = { stores, all: [...stores, "pd", "client"] };

function link(from: string, to: string, ...faults: ActiveNetworkFault[]) {
  return linkUnder(faults, { from, to }, hosts, [1, 2]);
}

/** The links that a fault blocks, as `from>to`. */
function blocked(fault: ActiveNetworkFault): string[] {
  return hosts.all.flatMap((from) =>
    hosts.all.filter((to) => from !== to && link(from, to, fault).isBlocked).map((to) => `${from}>${to}`),
  );
}

describe("links under faults", () => {
  test("without any, a link has its own latency", () => {
    expect(link("s1", "s2")).toMatchObject({ isBlocked: false, minLatencyMs: 1, maxLatencyMs: 2 });
  });

  test("one way is cut, and the other is not", () => {
    expect(blocked({ kind: "one-way", from: "s1", to: "pd" })).toEqual(["s1>pd"]);
  });

  test("an isolated host reaches nobody and is reached by nobody", () => {
    const cut = blocked({ kind: "isolate", host: "pd" });
    expect(cut).toHaveLength(2 * (hosts.all.length - 1));
    expect(cut.every((name) => name.includes("pd"))).toBe(true);
  });

  test("a Store that is cut off from the others is still reached by clients and PD", () => {
    const cut = blocked({ kind: "cut-off", host: "s2" });
    expect(cut).toHaveLength(2 * (stores.length - 1));
    expect(cut.every((name) => name.includes("s2") && !name.includes("pd") && !name.includes("client"))).toBe(
      true,
    );
  });

  test("a split cuts exactly what lies on different sides", () => {
    const cut = blocked({ kind: "split", left: new Set(["s1", "s2", "client"]) });
    expect(cut).toHaveLength(2 * 3 * 4);
    expect(cut).toContain("client>pd");
    expect(cut).not.toContain("s1>client");
  });

  test("in a ring each Store keeps two others, in a chain the ends keep one", () => {
    const partnersOf = (gap: number): number[] =>
      stores.map(
        (from) =>
          stores.filter((to) => to !== from && !link(from, to, { kind: "ring", gap }).isBlocked).length,
      );
    expect(partnersOf(-1)).toEqual([2, 2, 2, 2, 2]);
    expect(partnersOf(1)).toEqual([2, 1, 1, 2, 2]);
    expect(partnersOf(4)).toEqual([1, 2, 2, 2, 1]);
    expect(link("s1", "client", { kind: "ring", gap: 0 }).isBlocked).toBe(false);
  });

  test("faults add up", () => {
    const state = link(
      "s1",
      "s2",
      { kind: "loss", packetRate: 0, messageRate: 0.5 },
      { kind: "loss", packetRate: 0.1, messageRate: 0.5 },
      { kind: "delay", maxMs: 10 },
      { kind: "slow-link", from: "s1", to: "s2", delayMs: 100 },
      { kind: "narrow", bytesPerSecond: 7 },
      { kind: "narrow", bytesPerSecond: 5 },
      { kind: "duplicate", rate: 0.2 },
      { kind: "reorder", rate: 0.3 },
      { kind: "repeat", rate: 0.4 },
    );
    expect(state).toMatchObject({
      ...{ isBlocked: false, minLatencyMs: 101, maxLatencyMs: 112, bytesPerSecond: 5, messageLossRate: 0.75 },
      ...{ messageDuplicationRate: 0.2, messageReorderRate: 0.3, requestRepeatRate: 0.4 },
    });
    expect(state.packetLossRate).toBeCloseTo(0.1);
  });
});
