import {
  type Clock,
  type Logger,
  type Random,
  type RdbError,
  type Timer,
  assert,
  hasCode,
} from "@flaredb/rdb-base";
import { ProcessClock, type SimClock } from "@flaredb/rdb-server/testing";
import type { Wire } from "@flaredb/rdb-wire";
import type { ClockShape } from "../faults/cluster-shape.ts";

/** How a process ends when it is not asked: others see its connections reset, or hear nothing any more. */
export type EndKind = "kill" | "power-off";

/** What a process gets when it starts. */
export interface Boot {
  readonly clock: ProcessClock;
  readonly random: Random;
  readonly logger: Logger;
  readonly wire: Wire;
  readonly signal: AbortSignal;
  readonly onFatal: (error: RdbError) => void;
}

/** The machine under a process: what stays when it ends. */
export interface Machine {
  readonly name: string;
  readonly clockShape: ClockShape;
  /** Chance for the so manieth start. */
  readonly randomOf: (bootCount: number) => Random;
  readonly loggerOf: (clock: Clock) => Logger;
  /** The network, for a process that starts. `ended`: it is gone, and network and disk hear of it. */
  readonly attach: (clock: ProcessClock) => {
    readonly wire: Wire;
    readonly ended: (kind: EndKind | "exit") => void;
  };
}

/** What runs in a process. */
export interface Program<Running> {
  start(boot: Boot): Promise<Running>;
  stop(running: Running): Promise<void>;
  /** The process was killed: what in the simulator waits for it hears so. */
  killed?(running: Running): void;
}

/** What becomes known of a process. */
export type ProcessEvent = "start" | "up" | "stopping" | "exit" | EndKind | "pause" | "resume" | "fatal";

export interface ProcessWatcher {
  event(name: string, event: ProcessEvent): void;
  /** It failed, and nothing that was done to it explains that. */
  failed(name: string, doing: "start" | "run" | "stop", error: unknown): void;
}

interface Run<Running> {
  readonly clock: ProcessClock;
  readonly ended: (kind: EndKind | "exit") => void;
  readonly abort: AbortController;
  running: Running | undefined;
  isStopping: boolean;
  pauseCount: number;
  /** Kills a stop that takes too long. */
  stopTimer: Timer | undefined;
}

/** A supervisor kills what does not stop within this. */
const STOP_MAX_MS = 10_000;
/** And starts again what ended by itself after this. */
const RESTART_DELAY_MS = 100;

/**
 * A process of the production program on a simulated machine. It runs unless somebody holds it down, and starts again
 * when it ends.
 */
export class SimProcess<Running> {
  readonly #sim: SimClock;
  readonly #machine: Machine;
  readonly #program: Program<Running>;
  readonly #watcher: ProcessWatcher;
  #run: Run<Running> | undefined;
  #holdCount = 0;
  #bootCount = 0;
  #wallJumpMs = 0;
  /** Whether its disk fails: then it ends by itself, as it must. */
  #mayFail = false;

  constructor(sim: SimClock, machine: Machine, program: Program<Running>, watcher: ProcessWatcher) {
    this.#sim = sim;
    this.#machine = machine;
    this.#program = program;
    this.#watcher = watcher;
  }

  get name(): string {
    return this.#machine.name;
  }

  /** What serves now; undefined while the process starts, and when it is down. */
  get running(): Running | undefined {
    return this.#run?.running;
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  get isSuspended(): boolean {
    return this.#run?.clock.isSuspended === true;
  }

  /** Whether it serves, and nobody stops or pauses it. */
  get isWell(): boolean {
    const run = this.#run;
    return run?.running !== undefined && !run.isStopping && !run.clock.isSuspended;
  }

  /** Runs something inside the process, if it serves. */
  call(action: (running: Running) => void): void {
    const run = this.#run;
    run?.clock.run(() => {
      if (run.running !== undefined) {
        action(run.running);
      }
    });
  }

  /** Starts it unless somebody holds it down. */
  start(): void {
    if (this.#run !== undefined || this.#holdCount > 0) {
      return;
    }
    const { clockShape, attach, randomOf, loggerOf } = this.#machine;
    const clock = new ProcessClock(this.#sim, {
      rate: clockShape.rate,
      wallOffsetMs: clockShape.wallOffsetMs + this.#wallJumpMs,
    });
    const abort = new AbortController();
    const { wire, ended } = attach(clock);
    const run: Run<Running> = {
      ...{ clock, ended, abort, running: undefined, isStopping: false, pauseCount: 0, stopTimer: undefined },
    };
    this.#run = run;
    this.#watcher.event(this.name, "start");
    const boot: Boot = {
      clock,
      random: randomOf(++this.#bootCount),
      logger: loggerOf(clock),
      wire,
      signal: abort.signal,
      onFatal: (error) => this.#fatal(run, error),
    };
    // A start that fails at once fails as one that fails later.
    Promise.resolve()
      .then(() => this.#program.start(boot))
      .then(
        (running) => this.#started(run, running),
        (error: unknown) => this.#startFailed(run, error),
      );
  }

  /** Keeps it from starting again, when it ends. @returns lets it, and starts it if it is down */
  hold(): () => void {
    this.#holdCount++;
    let isHeld = true;
    return () => {
      if (isHeld) {
        isHeld = false;
        this.#holdCount--;
        this.start();
      }
    };
  }

  /** Ends it at once. */
  end(kind: EndKind): void {
    if (this.#run !== undefined) {
      this.#finish(this.#run, kind);
    }
  }

  /** Asks it to stop in good order; it is killed when it takes too long. */
  stop(): void {
    const run = this.#run;
    if (run === undefined || run.isStopping) {
      return;
    }
    run.isStopping = true;
    this.#watcher.event(this.name, "stopping");
    run.stopTimer = this.#sim.setTimer(STOP_MAX_MS, () => this.#finish(run, "kill"));
    run.clock.run(() => {
      run.abort.abort();
      if (run.running !== undefined) {
        this.#close(run, run.running);
      }
    });
  }

  /** SIGSTOP. @returns SIGCONT */
  pause(): () => void {
    const run = this.#run;
    if (run === undefined) {
      return () => {};
    }
    run.pauseCount++;
    run.clock.suspend();
    this.#watcher.event(this.name, "pause");
    return () => {
      run.pauseCount--;
      if (run.pauseCount === 0 && !run.clock.isDead) {
        this.#watcher.event(this.name, "resume");
        run.clock.resume();
      }
    };
  }

  /** The wall clock of its machine jumps. */
  jumpWallMs(byMs: number): void {
    this.#wallJumpMs += byMs;
    this.#run?.clock.jumpWallMs(byMs);
  }

  /** While its disk fails it may end by itself. */
  setMayFail(mayFail: boolean): void {
    this.#mayFail = mayFail;
  }

  #started(run: Run<Running>, running: Running): void {
    if (run.clock.isDead) {
      return;
    }
    run.running = running;
    this.#watcher.event(this.name, "up");
    if (run.isStopping) {
      this.#close(run, running);
    }
  }

  #startFailed(run: Run<Running>, error: unknown): void {
    if (run.clock.isDead) {
      return;
    }
    const isExplained = this.#mayFail || (run.isStopping && hasCode(error, "RDB_CLOSED"));
    if (!isExplained) {
      this.#watcher.failed(this.name, "start", error);
    }
    this.#finish(run, "exit");
  }

  #close(run: Run<Running>, running: Running): void {
    this.#program.stop(running).then(
      () => this.#finish(run, "exit"),
      (error: unknown) => {
        if (!run.clock.isDead && !this.#mayFail) {
          this.#watcher.failed(this.name, "stop", error);
        }
        this.#finish(run, "exit");
      },
    );
  }

  #fatal(run: Run<Running>, error: RdbError): void {
    if (run.clock.isDead) {
      return;
    }
    this.#watcher.event(this.name, "fatal");
    if (!this.#mayFail) {
      this.#watcher.failed(this.name, "run", error);
    }
    this.#finish(run, "kill");
  }

  #finish(run: Run<Running>, kind: EndKind | "exit"): void {
    if (this.#run !== run) {
      return;
    }
    assert(!run.clock.isDead, "a process ends once");
    this.#run = undefined;
    run.stopTimer?.cancel();
    run.clock.kill();
    run.ended(kind);
    if (kind !== "exit" && run.running !== undefined) {
      this.#program.killed?.(run.running);
    }
    this.#watcher.event(this.name, kind);
    this.#sim.setTimer(RESTART_DELAY_MS, () => this.start());
  }
}
