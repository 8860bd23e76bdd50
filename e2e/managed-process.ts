import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PRELOAD = fileURLToPath(new URL("./die-with-parent.mjs", import.meta.url));

/** The longest time from start to serving. */
const READY_TIMEOUT_MS = 120_000;

export interface ProcessPlan {
  readonly name: string;
  /** The program's file. */
  readonly program: string;
  readonly args: readonly string[];
  readonly logFile: string;
}

/** One program that a test starts, kills, stops and starts again. */
export class ManagedProcess {
  readonly plan: ProcessPlan;
  #child: ChildProcess | undefined;
  #exited: Promise<number | NodeJS.Signals> = Promise.resolve(0);
  #endIsExpected = false;
  #exitCode: number | null | undefined;
  readonly #unexpectedEnds: string[] = [];
  #environment: Readonly<Record<string, string>> = {};
  #told: object | undefined;
  #heard: ((answer: object) => void) | undefined;

  constructor(plan: ProcessPlan) {
    this.plan = plan;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Ends that no test asked for, in words, each with the end of the log. */
  get unexpectedEnds(): readonly string[] {
    return this.#unexpectedEnds;
  }

  /** All that the process has logged, of all its runs. */
  log(): string {
    return readFileSync(this.plan.logFile, "utf8");
  }

  /** What the process holds on its heap and beside it, after a collection. Only while it runs. */
  heldBytes(): Promise<number> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      if (child === undefined) {
        reject(new Error(`${this.plan.name} does not run`));
        return;
      }
      const answered = (message: unknown): void => {
        if (typeof message === "object" && message !== null && "bytes" in message) {
          child.off("message", answered);
          resolve(Number(message.bytes));
        }
      };
      child.on("message", answered);
      child.once("exit", () => reject(new Error(`${this.plan.name} ended before it answered`)));
      child.send({ type: "memory?" });
    });
  }

  /** Starts it; does not wait. */
  launch(): Promise<void> {
    if (this.#child !== undefined) {
      throw new Error(`${this.plan.name} is running already`);
    }
    const log = openSync(this.plan.logFile, "a");
    const child = spawn(process.execPath, ["--import", PRELOAD, this.plan.program, ...this.plan.args], {
      stdio: ["ignore", log, log, "ipc"],
      env: { ...process.env, ...this.#environment },
    });
    closeSync(log);
    this.#child = child;
    if (this.#told !== undefined) {
      child.send(this.#told);
    }
    this.#endIsExpected = false;
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.#child = undefined;
        this.#exitCode = code;
        if (!this.#endIsExpected) {
          this.#unexpectedEnds.push(
            `${this.plan.name} ended: ${signal ?? `exit code ${code}`}; its log ends:\n${this.#tail()}`,
          );
        }
        resolve(signal ?? code ?? 0);
      });
    });
    return this.#ready(child);
  }

  /** What it finds in its environment from its next start on, besides what is there anyway. */
  surround(environment: Readonly<Record<string, string>>): void {
    this.#environment = environment;
  }

  /** kill -9. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#end("SIGKILL");
    await this.#exited;
  }

  /** Resolves when it ends by itself, as it is expected to, with its exit code. */
  async ends(): Promise<number | null | undefined> {
    this.#endIsExpected = true;
    await this.#exited;
    return this.#exitCode;
  }

  /** Whether an end by itself is expected from now on, until it is started again. */
  mayEnd(isExpected: boolean): void {
    this.#endIsExpected = isExpected;
  }

  /** Asks it to stop in good order. Resolves when it is gone, to its exit code or the signal that ended it. */
  stop(): Promise<number | NodeJS.Signals> {
    this.#end("SIGTERM");
    return this.#exited;
  }

  /** SIGHUP: it reads its config file again. */
  reload(): void {
    this.#child?.kill("SIGHUP");
  }

  /** SIGSTOP: it keeps its connections and does nothing. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  /** SIGCONT. */
  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /**
   * Sends it a message, now and whenever it is started again, until it is told something else.
   *
   * @returns what it answers; undefined when it does not run, or ends before
   */
  tell(message: object): Promise<object | undefined> {
    this.#told = message;
    const child = this.#child;
    if (child === undefined) {
      return Promise.resolve(undefined);
    }
    const { promise, resolve } = Promise.withResolvers<object | undefined>();
    const ended = (): void => resolve(undefined);
    child.once("exit", ended);
    this.#heard = resolve;
    // An error means that it is about to exit.
    child.send(message, () => {});
    return promise.finally(() => child.off("exit", ended));
  }

  #end(signal: "SIGKILL" | "SIGTERM"): void {
    this.#endIsExpected = true;
    this.#child?.kill(signal);
  }

  async #ready(child: ChildProcess): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(
      () =>
        reject(new Error(`${this.plan.name} does not serve after ${READY_TIMEOUT_MS} ms:\n${this.#tail()}`)),
      READY_TIMEOUT_MS,
    );
    child.on("message", (message) => {
      if (typeof message !== "object" || message === null || !("type" in message)) {
        return;
      }
      if (message.type === "ready") {
        resolve();
      } else {
        this.#heard?.(message);
      }
    });
    child.once("exit", () => {
      if (this.#endIsExpected) {
        resolve();
      } else {
        reject(new Error(`${this.plan.name} ended before it served:\n${this.#tail()}`));
      }
    });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #tail(): string {
    return this.log().split("\n").slice(-15).join("\n");
  }
}
