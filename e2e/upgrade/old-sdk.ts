import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const WRITER = fileURLToPath(new URL("./old-sdk-writer.mjs", import.meta.url));
const PRELOAD = fileURLToPath(new URL("../die-with-parent.mjs", import.meta.url));

/** What a run of writers saw. */
export interface WriterReport {
  readonly acknowledgedCount: number;
  readonly failures: readonly string[];
  readonly lost: readonly string[];
}

/** Writers and readers that use the SDK of another tree, in a process of their own. */
export class OldSdkWriters {
  readonly #child: ChildProcess;
  readonly #connected: Promise<void>;
  readonly #report: Promise<WriterReport>;

  /** Resolves once they are under way. */
  static async start(tree: string, pdAddress: string, prefix: string): Promise<OldSdkWriters> {
    const writers = new OldSdkWriters(tree, pdAddress, prefix);
    await Promise.race([writers.#connected, writers.#report]);
    return writers;
  }

  private constructor(tree: string, pdAddress: string, prefix: string) {
    this.#child = spawn(process.execPath, ["--import", PRELOAD, WRITER, tree, pdAddress, prefix], {
      stdio: ["pipe", "pipe", "inherit", "ipc"],
    });
    this.#connected = new Promise((resolve) => this.#child.once("message", () => resolve()));
    const chunks: Buffer[] = [];
    this.#child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    this.#report = new Promise((resolve, reject) => {
      this.#child.once("close", (code) => {
        if (code === 0) {
          resolve(JSON.parse(Buffer.concat(chunks).toString()) as WriterReport);
        } else {
          reject(new Error(`the writers of the old SDK ended with ${code}`));
        }
      });
    });
    // Told when the report is asked for.
    this.#report.catch(() => {});
  }

  /** Lets what is under way end. */
  stop(): Promise<WriterReport> {
    this.#child.stdin?.end();
    return this.#report;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
