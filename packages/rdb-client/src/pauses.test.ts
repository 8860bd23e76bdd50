import { SeededRandom } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { KvCall } from "./kv-call.ts";
import { Pauses } from "./pauses.ts";
import { ManualClock } from "./testing/manual-clock.ts";

function callNamed(name: string): KvCall {
  return new KvCall({
    name,
    key: new Uint8Array(1),
    command: { case: undefined },
    isWrite: true,
    sizeBytes: 1,
    readFrom: "leader",
    deadlineMs: 10_000,
    timeoutMs: 10_000,
    signal: undefined,
    resolve: () => {},
    reject: () => {},
  });
}

function harness() {
  const clock = new ManualClock();
  const ended: string[] = [];
  const pauses = new Pauses({ clock, random: new SeededRandom(1) }, (call) => ended.push(call.spec.name));
  return { clock, ended, pauses };
}

describe("Pauses", () => {
  test("end when their time is over, each by itself", async () => {
    const { clock, ended, pauses } = harness();
    pauses.begin(callNamed("busy"), "busy", 0);
    pauses.begin(callNamed("miss"), "regionMiss", 0);
    await clock.advance(5);
    expect(ended).toEqual(["miss"]);
    await clock.advance(60);
    expect(ended).toEqual(["miss", "busy"]);
  });

  test("end early on news, except for who was told to wait", async () => {
    const { clock, ended, pauses } = harness();
    pauses.begin(callNamed("rpc"), "rpc", 0);
    pauses.begin(callNamed("told"), "busy", 500);
    pauses.wake();
    expect(ended).toEqual(["rpc"]);
    await clock.advance(800);
    expect(ended).toEqual(["rpc", "told"]);
  });

  test("news that comes all the time wakes every 50 ms only, and is not lost", async () => {
    const { clock, ended, pauses } = harness();
    pauses.begin(callNamed("first"), "rpc", 0);
    pauses.wake();
    pauses.begin(callNamed("second"), "rpc", 0);
    pauses.wake();
    pauses.wake();
    await clock.advance(40);
    expect(ended).toEqual(["first"]);
    await clock.advance(15);
    expect(ended).toEqual(["first", "second"]);
  });

  test("a call that is over is not woken any more", async () => {
    const { clock, ended, pauses } = harness();
    const call = callNamed("gone");
    pauses.begin(call, "rpc", 0);
    pauses.forget(call);
    pauses.wake();
    await clock.advance(1_000);
    expect(ended).toEqual([]);
  });
});
