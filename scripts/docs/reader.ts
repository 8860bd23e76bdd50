import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { freePortBlock } from "../../e2e/free-ports.ts";
import { PlaygroundProcess } from "../../e2e/playground-process.ts";
import { exitCodes } from "../../packages/rdb-cli/src/failure.ts";
import { pdCommandNames } from "../../packages/rdb-cli/src/commands/pd/names.ts";
import { runCaptured } from "../../packages/rdb-cli/src/testing/run-captured.ts";
import { type TestCluster, startTestCluster } from "../../packages/rdb-client/src/testing/index.ts";
import { root } from "../source-files.ts";
import { callProblem, curlArguments } from "./check-call.ts";
import type { Call, ShellLine } from "./shell.ts";

/** Where documents say that everything is. */
const DOCUMENTED_BASE_PORT = 7400;
/** What a playground takes from its base port on. */
const PORTS_COUNT = 30;
const READY_TIMEOUT_MS = 60_000;
/** For what is only so once a busy machine has elected a leader, or seen a Store answer. */
const SETTLE_TIMEOUT_MS = 30_000;

/** What exits with 1 unless all is well at that moment, or the Stores have told of themselves. */
const judging = /^(cluster status|region coverage|doctor|unsafe-recover|region move|region split)\b/;
/** What goes on until Ctrl-C: one look is enough. */
const endless = /--watch\b|^events\b|^operator watch\b/;

/** A cluster that documents are read beside. */
export interface ReaderOptions {
  /** `processes`: the document starts one, or asks over HTTP. `memory`: the cluster for tests, in this process. */
  readonly cluster: "memory" | "processes";
  /** Of a cluster in memory. Default 3. */
  readonly stores?: number;
  /** What happens to a cluster in memory before a line of shell. */
  readonly before?: Readonly<Record<string, (cluster: TestCluster) => Promise<void>>>;
  /** What is typed when a line of shell asks. */
  readonly typed?: Readonly<Record<string, string>>;
}

/**
 * Somebody who follows a document to the letter: in a folder of his own with the repository in it, at a cluster whose
 * addresses are those that the document names.
 */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), "flaredb-docs-"));
  readonly #basePort: number;
  readonly #memory: TestCluster | undefined;
  #playground: PlaygroundProcess | undefined;
  readonly #stores: ChildProcess[] = [];

  private constructor(options: ReaderOptions, memory: TestCluster | undefined, basePort: number) {
    this.#options = options;
    this.#memory = memory;
    this.#basePort = basePort;
    for (const name of ["deploy", "docs", "e2e", "packages", "scripts"]) {
      symlinkSync(join(root, name), join(this.#folder, name));
    }
  }

  static async start(options: ReaderOptions): Promise<Reader> {
    const isMemory = options.cluster === "memory";
    const memory = isMemory ? await startTestCluster({ stores: options.stores ?? 3 }) : undefined;
    const basePort = isMemory ? 0 : await freePortBlock(PORTS_COUNT);
    return new Reader(options, memory, basePort);
  }

  /** Where the placement driver is that the document has at 127.0.0.1:7400. Starts a playground where none is. */
  async pdAddress(): Promise<string> {
    if (this.#memory !== undefined) {
      return this.#memory.pdAddress;
    }
    if (this.#playground === undefined) {
      await this.#startPlayground([]);
    }
    return `127.0.0.1:${this.#basePort}`;
  }

  /** Does what a line says. @throws what `expect` throws, when it does not come out as it must */
  async follow(line: ShellLine): Promise<void> {
    if (this.#memory !== undefined) {
      await this.#options.before?.[line.source]?.(this.#memory);
    }
    for (const call of line.calls) {
      const problem = await callProblem(call.words, { environment: call.environment });
      expect([line.source, problem]).toEqual([line.source, undefined]);
      await this.#call(call, line);
    }
  }

  async stop(): Promise<void> {
    for (const store of this.#stores) {
      if (store.exitCode === null && store.signalCode === null) {
        store.kill("SIGTERM");
        await once(store, "exit");
      }
    }
    await this.#playground?.interrupt();
    await this.#memory?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #call({ words }: Call, line: ShellLine): Promise<void> {
    const [program = "", ...rest] = words.map((word) => this.#placed(word));
    const args = program === "npx" ? rest.slice(1) : rest;
    switch (program === "npx" ? rest[0] : program) {
      case "npm":
        // `npm start`: all else is in `notRun`.
        expect(args[0]).toBe("start");
        return this.#startPlayground(args.slice(2));
      case "curl":
        return this.#curl(args, line);
      case "rdb":
        return this.#rdb(args, line);
      case "rdb-server":
      case "rdb-pd":
        // It was given to its settings' parser just now, which is all that --check-config does.
        return expect(args.join(" ")).toMatch(/--(check-config|print-config|help)\b/);
      default:
        return expect.fail(`${line.source}: neither run nor in notRun`);
    }
  }

  async #rdb(args: readonly string[], line: ShellLine): Promise<void> {
    const [command, ...rest] = args;
    const isProgram = command === "server" || (command === "pd" && !pdCommandNames.has(rest[0] ?? ""));
    if (command === "playground") {
      return this.#startPlayground(rest);
    }
    if (isProgram) {
      return rest.includes("--help") ? undefined : this.#startStore(rest);
    }
    const name = args.join(" ");
    const attempt = (): Promise<void> => this.#runCommand(args, line, endless.test(name));
    await (judging.test(name)
      ? vi.waitFor(attempt, { timeout: SETTLE_TIMEOUT_MS, interval: 200 })
      : attempt());
  }

  async #runCommand(args: readonly string[], line: ShellLine, isEndless: boolean): Promise<void> {
    const stop = new AbortController();
    const stdin = this.#options.typed?.[line.source];
    const env = { RDB_PD: await this.pdAddress() };
    const home = process.cwd();
    process.chdir(this.#folder);
    try {
      const { exitCode, stdout, stderr } = await runCaptured(args, {
        ...{ env, interrupt: stop.signal, onStdout: () => isEndless && stop.abort() },
        ...(stdin === undefined ? {} : { stdin }),
      });
      const isDone = exitCode === 0 || (isEndless && exitCode === exitCodes.interrupted);
      expect([line.source, isDone ? "" : `${exitCode}: ${stdout}${stderr}`]).toEqual([line.source, ""]);
      if (line.output !== undefined) {
        expect([line.source, stdout.trim()]).toEqual([line.source, line.output]);
      }
    } finally {
      process.chdir(home);
    }
  }

  async #curl(args: readonly string[], line: ShellLine): Promise<void> {
    await this.pdAddress();
    const { values, positionals } = curlArguments(args);
    const headers = (values.header ?? []).map((header) => header.split(/:\s*/, 2) as [string, string]);
    const answer = await fetch(positionals[0] as string, {
      ...{ method: values.request ?? (values.data === undefined ? "GET" : "POST"), headers },
      ...(values.data === undefined ? {} : { body: values.data }),
    });
    expect([line.source, answer.ok ? "" : await answer.text()]).toEqual([line.source, ""]);
  }

  /** `npm start` and `rdb playground`. One that runs already was Ctrl-C's. */
  async #startPlayground(args: readonly string[]): Promise<void> {
    expect(this.#options.cluster).toBe("processes");
    await this.#playground?.interrupt();
    const data = args.some((arg) => /^--(data|tmp)$/.test(arg))
      ? []
      : ["--data", join(this.#folder, ".flaredb")];
    this.#playground = new PlaygroundProcess([...args, ...data, "--base-port", String(this.#basePort)]);
    await this.#playground.says(/Ctrl-C stops everything/, READY_TIMEOUT_MS);
  }

  async #startStore(args: readonly string[]): Promise<void> {
    const program = join(root, "packages", "rdb-server", "bin", "rdb-server.mjs");
    const child = spawn(process.execPath, [program, ...args], {
      cwd: this.#folder,
      env: { ...process.env, FLAREDB_SERVER_PD_ADDRESSES: await this.pdAddress() },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#stores.push(child);
    const said = await new Promise<string>((resolve) => {
      let text = "";
      child.stdout?.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes('"msg":"ready"')) {
          resolve(text);
        }
      });
      child.once("close", () => resolve(text));
    });
    expect(said).toContain('"msg":"ready"');
  }

  /** A port or an address as it is here. */
  #placed(word: string): string {
    const at = (port: string): string => String(this.#basePort + Number(port) - DOCUMENTED_BASE_PORT);
    return this.#options.cluster === "memory"
      ? word
      : word.replace(/(?<=^(?:https?:\/\/)?127\.0\.0\.1:)74\d\d/, at).replace(/^74\d\d$/, at);
  }
}
