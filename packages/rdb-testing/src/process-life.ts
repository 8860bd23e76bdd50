import { type Clock, type Timer, assert, systemClock } from "@flaredb/rdb-base";
import { type Wire, type WireServer, httpWire } from "@flaredb/rdb-wire";

/**
 * What a process stands on, inside this one: a clock and a network that end together. After `kill` nothing that it
 * asked for happens any more, as if the process had got SIGKILL, and nothing keeps this program alive.
 */
export class ProcessLife {
  readonly clock: Clock;
  readonly wire: Wire;
  readonly #timers = new Set<Timer>();
  readonly #servers = new Set<WireServer>();
  readonly #calls = new Set<{ close(): void }>();
  #isDead = false;

  constructor() {
    this.clock = {
      wallMs: () => systemClock.wallMs(),
      monotonicMs: () => systemClock.monotonicMs(),
      setTimer: (delayMs, callback) => this.#setTimer(delayMs, callback),
      setImmediate: (callback) => systemClock.setImmediate(() => this.#isDead || callback()),
    };
    const network = httpWire();
    this.wire = {
      serve: (options) => {
        const server = network.serve(options);
        this.#servers.add(server);
        return server;
      },
      connect: (options) => this.#keep(network.connect(options)),
      unary: (address, options) => this.#keep(network.unary(address, options)),
    };
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Where it listens. @throws AssertionError before it does */
  get port(): number {
    const [server] = this.#servers;
    assert(server !== undefined, "a process that runs listens");
    return server.port;
  }

  /** Ends it at once: connections are cut, ports are free when this resolves. Idempotent. */
  async kill(): Promise<void> {
    this.#isDead = true;
    for (const timer of this.#timers) {
      timer.cancel();
    }
    this.#timers.clear();
    for (const call of this.#calls) {
      call.close();
    }
    this.#calls.clear();
    await Promise.all([...this.#servers].map((server) => server.close(0)));
    this.#servers.clear();
  }

  #setTimer(delayMs: number, callback: () => void): Timer {
    if (this.#isDead) {
      return { cancel: () => {} };
    }
    const timer = systemClock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }

  // What a dead process still begins, out of a callback of this moment, ends at once.
  #keep<Call extends { close(): void }>(call: Call): Call {
    if (this.#isDead) {
      call.close();
    } else {
      this.#calls.add(call);
    }
    return call;
  }
}
