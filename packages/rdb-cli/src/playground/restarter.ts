import { type MemberExit, MemberRun, describeEnd } from "./member.ts";
import type { MemberPlan } from "./plan.ts";

/** How a process that dies is started again. */
export const restartLimits = {
  firstDelayMs: 100,
  maxDelayMs: 5_000,
  /** A process that served for this long died of something new. */
  healthyAfterMs: 10_000,
  /** After so many deaths in quick succession it is left alone. */
  quickDeathsMax: 5,
  /** A stop that takes longer is cut short. */
  stopTimeoutMs: 10_000,
} as const;

/** What of a run is needed here. */
export type Run = Pick<MemberRun, "exited" | "ready" | "signal">;

/** Keeps one process running until it is told to stop. */
export class Restarter {
  readonly plan: MemberPlan;
  readonly #say: (line: string) => void;
  readonly #start: (plan: MemberPlan) => Run;
  readonly #stopAsked = Promise.withResolvers<void>();
  #run: Run;
  #stopping = false;
  #watching: Promise<void> | undefined;

  /** Starts it. `say` gets what a person should know. */
  constructor(
    plan: MemberPlan,
    say: (line: string) => void,
    start: (plan: MemberPlan) => Run = (plan) => new MemberRun(plan),
  ) {
    this.plan = plan;
    this.#say = say;
    this.#start = start;
    this.#run = start(plan);
  }

  /** Of the present run. */
  get ready(): Promise<void> {
    return this.#run.ready;
  }

  /** From now on a death is answered by a new start. */
  keepRunning(): void {
    this.#watching ??= this.#watch();
  }

  /** Asks it to stop; after {@link restartLimits.stopTimeoutMs} it is killed. */
  async stop(): Promise<void> {
    this.#beginStop();
    const timer = setTimeout(() => {
      this.#say(`${this.plan.name} does not stop: killing it`);
      this.#run.signal("SIGKILL");
    }, restartLimits.stopTimeoutMs);
    this.#run.signal("SIGTERM");
    await this.#run.exited;
    clearTimeout(timer);
    await this.#watching;
  }

  /** Ends it at once. */
  kill(): void {
    this.#beginStop();
    this.#run.signal("SIGKILL");
  }

  #beginStop(): void {
    this.#stopping = true;
    this.#stopAsked.resolve();
  }

  async #watch(): Promise<void> {
    let quickDeaths = 0;
    let startedMs = performance.now();
    for (;;) {
      const exit = await this.#run.exited;
      if (this.#stopping) {
        return;
      }
      if (exit.code === 0) {
        this.#say(`${this.plan.name} ended by itself and stays down: ${await describeEnd(this.plan, exit)}`);
        return;
      }
      quickDeaths = performance.now() - startedMs > restartLimits.healthyAfterMs ? 1 : quickDeaths + 1;
      if (quickDeaths > restartLimits.quickDeathsMax) {
        this.#say(await this.#givenUp(exit));
        return;
      }
      this.#say(`${this.plan.name} died (${describeExit(exit)}), starting it again`);
      await this.#pause(restartLimits.firstDelayMs * 2 ** (quickDeaths - 1));
      if (this.#stopping) {
        return;
      }
      startedMs = performance.now();
      this.#run = this.#start(this.plan);
      this.#announce(this.#run, startedMs);
    }
  }

  #announce(run: Run, startedMs: number): void {
    run.ready.then(
      () =>
        this.#say(
          `${this.plan.name} serves again after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
        ),
      // The watch sees the same end and says what comes of it.
      () => {},
    );
  }

  async #givenUp(exit: MemberExit): Promise<string> {
    const why = await describeEnd(this.plan, exit);
    return `${this.plan.name} died ${restartLimits.quickDeathsMax + 1} times in a row and stays down: ${why}`;
  }

  async #pause(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.min(delayMs, restartLimits.maxDelayMs));
    await Promise.race([promise, this.#stopAsked.promise]);
    clearTimeout(timer);
  }
}

function describeExit(exit: MemberExit): string {
  return exit.signal ?? `exit code ${exit.code}`;
}
