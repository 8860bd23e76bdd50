import { SeededRandom, silentLogger } from "@flaredb/rdb-base";
import { ProcessClock, SimClock } from "@flaredb/rdb-server/testing";
import { type WireFixture, wireContract } from "@flaredb/rdb-wire/testing";
import { describe, expect, test } from "vitest";
import { SimNet } from "./sim-net.ts";
import { SimWire } from "./sim-wire.ts";

/** Longer than anything of the contract takes. */
const SETTLE_MAX_MS = 60_000;

function fixtureOf(seed: number): WireFixture {
  const clock = new SimClock();
  const net = new SimNet({ clock, random: new SeededRandom(seed) });
  const serverClock = new ProcessClock(clock);
  const clientClock = new ProcessClock(clock);
  const settle = <T>(promise: Promise<T>): Promise<T> => clock.complete(promise, SETTLE_MAX_MS);
  return {
    server: new SimWire({ net, host: "store-1", process: serverClock }),
    serverClock,
    client: new SimWire({ net, host: "client-1", process: clientClock }),
    clientClock,
    host: "store-1",
    settle,
    pass: (durationMs) => clock.run(durationMs),
    reach: (server) => Promise.resolve(server.address),
    silence: () => net.cut("store-1", "client-1"),
    hungAddress: async () => {
      const hung = new ProcessClock(clock);
      const wire = new SimWire({ net, host: "store-2", process: hung });
      const server = wire.serve({ host: "store-2", port: 0, logger: silentLogger, clock: hung });
      await settle(server.listen());
      hung.suspend();
      return server.address;
    },
  };
}

describe("the Wire contract, on the simulated network", () => {
  for (const { name, run } of wireContract) {
    test(name, async () => {
      for (const seed of [1, 2, 3]) {
        await expect(run(fixtureOf(seed))).resolves.toBeUndefined();
      }
    });
  }
});
