import { type Clock, RdbError, type Timer } from "@flaredb/rdb-base";
import { Latencies } from "./latencies.ts";
import type { Operation } from "./operations.ts";
import type { Schedule } from "./schedule.ts";

/** What one load came to. */
export interface LoadResult {
  /** Calls that were answered. */
  readonly calls: number;
  /** Rows that they wrote or found. */
  readonly rows: number;
  /** From the first call to the last answer; of an open loop at least for as long as its calls take at their rate. */
  readonly elapsedMs: number;
  /** Calls of an open loop that were due and found no client in time. */
  readonly unstarted: number;
  /** Calls that failed, by code. */
  readonly errors: Readonly<Record<string, number>>;
  /** Of the calls that were answered. */
  readonly latencies: Latencies;
  /** Processor time of the process that made the load, all its threads. */
  readonly cpuMs: number;
}

/** What a load stands on. */
export interface LoadPorts {
  readonly clock: Clock;
  /** Processor time of this process since it began. */
  cpuMs(): number;
}

/** How often an open loop looks what is due: the timers of the runtime are no finer. */
const OPEN_LOOP_TICK_MS = 1;

/**
 * Keeps up to `clients` calls open, as a schedule has them begin. A client is one asynchronous function that awaits
 * the SDK's own promise: a call costs the generator no promise and no closure of its own.
 */
export class Load<Answer> {
  readonly #clock: Clock;
  readonly #ports: LoadPorts;
  readonly #operation: Operation<Answer>;
  readonly #schedule: Schedule;
  readonly #startMs: number;
  readonly #total = new Latencies();
  readonly #interval = new Latencies();
  readonly #errors: Record<string, number> = {};
  readonly #finished = Promise.withResolvers<void>();
  #calls = 0;
  #rows = 0;
  #idleCount: number;
  #busyCount = 0;
  #timer: Timer | undefined;
  #lastAnswerMs: number;

  constructor(ports: LoadPorts, operation: Operation<Answer>, schedule: Schedule, clients: number) {
    const { clock } = ports;
    this.#clock = clock;
    this.#ports = ports;
    this.#operation = operation;
    this.#schedule = schedule;
    this.#idleCount = clients;
    this.#startMs = clock.monotonicMs();
    this.#lastAnswerMs = this.#startMs;
  }

  /** Resolves when the schedule has ended and every call was answered. Called once. */
  async run(): Promise<LoadResult> {
    const cpuBeforeMs = this.#ports.cpuMs();
    this.#startDue();
    await this.#finished.promise;
    this.#total.add(this.#interval);
    return {
      calls: this.#calls,
      rows: this.#rows,
      elapsedMs: Math.max(this.#lastAnswerMs, this.#schedule.filledUntilMs) - this.#startMs,
      unstarted: this.#schedule.unstartedCount,
      errors: this.#errors,
      latencies: this.#total,
      cpuMs: this.#ports.cpuMs() - cpuBeforeMs,
    };
  }

  /** Begins no more calls; those that are open are waited for. */
  stop(): void {
    this.#schedule.stop(this.#clock.monotonicMs(), this.#idleCount > 0);
    this.#endIfDone("ended");
  }

  /** Latencies of the calls that were answered since this was last asked. */
  takeInterval(): Latencies {
    const taken = new Latencies();
    taken.add(this.#interval);
    this.#total.add(this.#interval);
    this.#interval.reset();
    return taken;
  }

  // Sets idle clients to work until nothing is due.
  #startDue(): void {
    this.#timer = undefined;
    let next: number | "not due" | "ended" = "not due";
    while (this.#idleCount > 0) {
      next = this.#schedule.take(this.#clock.monotonicMs(), true);
      if (typeof next === "string") {
        break;
      }
      this.#idleCount--;
      this.#busyCount++;
      void this.#work(next);
    }
    if (next === "ended") {
      this.#endIfDone("ended");
    } else if (this.#idleCount > 0) {
      this.#timer = this.#clock.setTimer(OPEN_LOOP_TICK_MS, () => this.#startDue());
    }
  }

  // One client, until nothing is due for it. Never rejects: what fails is counted.
  async #work(firstStartMs: number): Promise<void> {
    let startMs: number | "not due" | "ended" = firstStartMs;
    while (typeof startMs === "number") {
      let nowMs: number;
      try {
        const answer = await this.#operation.call();
        nowMs = this.#clock.monotonicMs();
        this.#calls++;
        this.#rows += this.#operation.rowCount(answer);
        this.#interval.record(nowMs - startMs);
      } catch (error) {
        this.#countError(error);
        // What fails at once would otherwise never let anything else run.
        await new Promise<void>((resolve) => this.#clock.setImmediate(resolve));
        nowMs = this.#clock.monotonicMs();
      }
      this.#lastAnswerMs = nowMs;
      startMs = this.#schedule.take(nowMs, this.#idleCount > 0);
    }
    this.#idleCount++;
    this.#busyCount--;
    this.#endIfDone(startMs);
  }

  #endIfDone(state: "not due" | "ended"): void {
    if (state === "not due") {
      this.#timer ??= this.#clock.setTimer(OPEN_LOOP_TICK_MS, () => this.#startDue());
    } else if (this.#busyCount === 0) {
      this.#timer?.cancel();
      this.#finished.resolve();
    }
  }

  #countError(error: unknown): void {
    const { code } = RdbError.from(error);
    this.#errors[code] = (this.#errors[code] ?? 0) + 1;
  }
}
