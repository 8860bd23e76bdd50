import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitFor } from "./wait.ts";

const START = fileURLToPath(new URL("../scripts/start.mjs", import.meta.url));

const START_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 30_000;

/** `npm start` as a test runs it: the same script, without npm around it. */
export class PlaygroundProcess {
  readonly #child: ChildProcess;
  #output = "";
  #exitCode: number | null | undefined;

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [START, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
    this.#child.once("close", (code) => {
      this.#exitCode = code;
    });
  }

  /** All that it printed. */
  get output(): string {
    return this.#output;
  }

  /** Resolves once it has said that the cluster serves. */
  async ready(): Promise<void> {
    await this.says(/Ctrl-C stops everything/, START_TIMEOUT_MS);
  }

  async says(pattern: RegExp, timeoutMs = START_TIMEOUT_MS): Promise<void> {
    await waitFor(`${pattern} in the playground's output`, timeoutMs, () => {
      if (this.#exitCode !== undefined && !pattern.test(this.#output)) {
        throw new Error(`the playground ended with ${this.#exitCode}:\n${this.#output}`);
      }
      return pattern.test(this.#output);
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ctrl-C; resolves to the exit code. */
  async interrupt(): Promise<number | null> {
    this.signal("SIGINT");
    return this.ended();
  }

  /** Resolves to the exit code. */
  async ended(): Promise<number | null> {
    await waitFor("the playground's end", END_TIMEOUT_MS, () => this.#exitCode !== undefined);
    return this.#exitCode ?? null;
  }
}

/** The process id of the last start of a member, from its log. */
export function memberPid(dataFolder: string, member: string): number {
  const lines = readFileSync(join(dataFolder, "logs", `${member}.log`), "utf8").split("\n");
  const ready = lines.findLast((line) => line.includes('"msg":"ready"'));
  if (ready === undefined) {
    throw new Error(`${member} has not said that it is ready`);
  }
  return (JSON.parse(ready) as { pid: number }).pid;
}

/** Whether a process runs: one that has ended and only waits to be asked how does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) !== "Z";
  } catch {
    // No such process, or no /proc.
    return canBeSignalled(pid);
  }
}

function canBeSignalled(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // ESRCH: it is gone.
    return false;
  }
}
