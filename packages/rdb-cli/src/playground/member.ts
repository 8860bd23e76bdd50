import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { RdbError } from "@flaredb/rdb-base";
import { memberEnvironment } from "./member-environment.ts";
import { lastLogLine } from "./member-log.ts";
import type { MemberPlan } from "./plan.ts";
import { liveProcess, writeProcessMark } from "./process-mark.ts";

const CHILD_MAIN = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "./child-main.ts" : "./child-main.js", import.meta.url),
);

/** How one run of a process ended. */
export interface MemberExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

// Several processes share the machine: an eighth less memory each, for somewhat more frequent collections.
const NODE_FLAGS = ["--max-semi-space-size=8"];

/** One run of one process of the playground. Its output goes to its log file. */
export class MemberRun {
  readonly plan: MemberPlan;
  /** Resolves when the process is gone. */
  readonly exited: Promise<MemberExit>;
  /** Resolves when it serves; rejects with what its log says last when it ends before. */
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;

  constructor(plan: MemberPlan) {
    this.plan = plan;
    const log = openSync(plan.logFile, "a");
    try {
      // A process group of its own: Ctrl-C at the terminal reaches the playground alone, which stops all in order.
      this.#child = spawn(process.execPath, [...NODE_FLAGS, CHILD_MAIN, plan.kind, ...plan.args], {
        stdio: ["ignore", log, log, "ipc"],
        detached: true,
        env: memberEnvironment(process.env),
      });
    } finally {
      closeSync(log);
    }
    if (this.#child.pid !== undefined) {
      writeProcessMark(pidFile(plan), this.#child.pid);
    }
    this.exited = new Promise((resolve) => {
      this.#child.once("exit", (code, signal) => resolve({ code, signal }));
      this.#child.once("error", () => resolve({ code: 1, signal: null }));
    });
    this.ready = this.#waitUntilReady();
    // Whoever starts a run may only look at its end.
    this.ready.catch(() => {});
  }

  /** Asks it to stop in good order, or ends it at once. No effect on one that is gone. */
  signal(signal: "SIGTERM" | "SIGKILL"): void {
    this.#child.kill(signal);
  }

  async #waitUntilReady(): Promise<void> {
    const said = new Promise<"ready">((resolve) => {
      this.#child.on("message", (message) => {
        if (
          typeof message === "object" &&
          message !== null &&
          "type" in message &&
          message.type === "ready"
        ) {
          resolve("ready");
        }
      });
    });
    const first = await Promise.race([said, this.exited]);
    if (first !== "ready") {
      throw new RdbError(
        "RDB_UNAVAILABLE",
        `${this.plan.name} did not start: ${await describeEnd(this.plan, first)}`,
      );
    }
  }
}

/** The process that runs a member of this folder now, whoever started it; undefined: none. */
export function runningMember(plan: MemberPlan): Promise<number | undefined> {
  return liveProcess(pidFile(plan));
}

function pidFile(plan: MemberPlan): string {
  return join(plan.folder, "PID");
}

/** Why a process ended, as far as its log and its exit tell. */
export async function describeEnd(plan: MemberPlan, exit: MemberExit): Promise<string> {
  const how = exit.signal === null ? `exit code ${exit.code}` : exit.signal;
  const said = await lastLogLine(plan.logFile);
  return said === undefined
    ? `${how}; its log ${plan.logFile} is empty`
    : `${said} (${how}; log: ${plan.logFile})`;
}
