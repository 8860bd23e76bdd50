import { ManagedProcess } from "../managed-process.ts";
import { programOf } from "./old-tree.ts";

/** A process with one data folder, which programs of several trees take turns in. */
export class UpgradeProcess {
  readonly dataDir: string;
  readonly httpUrl: string;
  readonly #name: "rdb-pd" | "rdb-server";
  readonly #args: readonly string[];
  readonly #logFile: string;
  readonly #ended: ManagedProcess[] = [];
  #running: ManagedProcess | undefined;

  constructor(
    name: "rdb-pd" | "rdb-server",
    place: { readonly dataDir: string; readonly logFile: string; readonly httpPort: number },
    args: readonly string[],
  ) {
    this.#name = name;
    this.dataDir = place.dataDir;
    this.#logFile = place.logFile;
    this.httpUrl = `http://127.0.0.1:${place.httpPort}`;
    this.#args = ["--data-dir", place.dataDir, "--http-port", String(place.httpPort), ...args];
  }

  /** Starts the program of the tree, in the folder as it is. Resolves when it serves. */
  async start(tree: string): Promise<void> {
    const plan = { name: this.#name, args: this.#args, logFile: this.#logFile };
    this.#running = new ManagedProcess({ ...plan, program: programOf(tree, this.#name) });
    await this.#running.launch();
  }

  /** SIGTERM; it has to end in good order. */
  async stop(): Promise<void> {
    const code = await this.#running?.stop();
    if (code !== 0) {
      throw new Error(`${this.#name} ended with ${code}, not with 0`);
    }
    this.#end();
  }

  /** Starts a program that has to refuse the folder. @returns its exit code */
  async refusedBy(tree: string): Promise<number | null | undefined> {
    const plan = { name: this.#name, args: this.#args, logFile: this.#logFile };
    const process = new ManagedProcess({ ...plan, program: programOf(tree, this.#name) });
    const launched = process.launch();
    const code = await process.ends();
    await launched;
    return code;
  }

  log(): string {
    return (this.#running ?? this.#ended.at(-1))?.log() ?? "";
  }

  /** Ends that no test asked for. */
  unexpectedEnds(): readonly string[] {
    return [...this.#ended, ...(this.#running === undefined ? [] : [this.#running])].flatMap(
      (process) => process.unexpectedEnds,
    );
  }

  async kill(): Promise<void> {
    await this.#running?.kill();
    this.#end();
  }

  #end(): void {
    if (this.#running !== undefined) {
      this.#ended.push(this.#running);
      this.#running = undefined;
    }
  }
}
