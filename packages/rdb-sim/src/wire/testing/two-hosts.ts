import { SeededRandom, silentLogger } from "@flaredb/rdb-base";
import { ProcessClock, SimClock } from "@flaredb/rdb-server/testing";
import type { WireFixture } from "@flaredb/rdb-wire/testing";
import type { NetEvent } from "../net-event.ts";
import { SimNet, type SimNetOptions } from "../sim-net.ts";
import { SimWire } from "../sim-wire.ts";

/** Longer than anything takes that a test waits for. */
const SETTLE_MAX_MS = 120_000;

/** A process that serves on `store-1` and one that calls from `client-1`. */
export class TwoHosts {
  readonly clock = new SimClock();
  readonly net: SimNet;
  readonly events: NetEvent[] = [];
  readonly server: SimProcess;
  readonly client: SimProcess;

  constructor(seed: number, options: Partial<SimNetOptions> = {}) {
    this.net = new SimNet({ clock: this.clock, random: new SeededRandom(seed), ...options });
    this.net.observe = (event) => this.events.push(event);
    this.server = this.start("store-1");
    this.client = this.start("client-1");
  }

  /** For what the contract of `Wire` offers. */
  get fixture(): WireFixture {
    return {
      server: this.server.wire,
      serverClock: this.server.process,
      client: this.client.wire,
      clientClock: this.client.process,
      host: this.server.wire.host,
      settle: (promise) => this.clock.complete(promise, SETTLE_MAX_MS),
      pass: (durationMs) => this.clock.run(durationMs),
      reach: (server) => Promise.resolve(server.address),
      silence: () => this.net.cut("store-1", "client-1"),
      hungAddress: async () => {
        const { process, wire } = this.start("store-2");
        const server = wire.serve({ host: "store-2", port: 0, logger: silentLogger, clock: process });
        await this.clock.complete(server.listen(), SETTLE_MAX_MS);
        process.suspend();
        return server.address;
      },
    };
  }

  start(host: string): SimProcess {
    const process = new ProcessClock(this.clock);
    return { process, wire: new SimWire({ net: this.net, host, process }) };
  }

  /** How often it happened. */
  count(kind: NetEvent["kind"]): number {
    return this.events.filter((event) => event.kind === kind).length;
  }
}

interface SimProcess {
  readonly process: ProcessClock;
  readonly wire: SimWire;
}
