import { Readable, Writable } from "node:stream";
import type { Io } from "../io.ts";
import { run } from "../run.ts";

/** What a command line printed and exited with. */
export interface Captured {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CaptureOptions {
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** As if stdout were a terminal of this width. */
  readonly columns?: number;
  /** As if stdout were a terminal of so many lines. */
  readonly rows?: number;
  /** As if stdout showed colours. */
  readonly colors?: boolean;
  /** Takes what a command wants to hear of keys: call it to press one. */
  readonly onKey?: Io["onKey"];
  /** As if stderr were a terminal of this width. */
  readonly progressColumns?: number;
  /** Ctrl-C, when it is aborted. */
  readonly interrupt?: AbortSignal;
  /** Called with each piece of what stdout gets. */
  readonly onStdout?: (text: string) => void;
}

/** Runs one command line in this process, away from its streams. */
export async function runCaptured(args: readonly string[], options: CaptureOptions = {}): Promise<Captured> {
  const stdout = new Collector(options.onStdout);
  const stderr = new Collector();
  const io: Io = {
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    stdout,
    stderr,
    env: options.env ?? {},
    columns: options.columns,
    rows: options.rows,
    colors: options.colors ?? false,
    onKey: options.onKey,
    progressColumns: options.progressColumns,
    onInterrupt: (listener) => {
      options.interrupt?.addEventListener("abort", listener);
      return () => options.interrupt?.removeEventListener("abort", listener);
    },
  };
  const exitCode = await run(args, io);
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

class Collector extends Writable {
  readonly #chunks: Buffer[] = [];
  readonly #onText: (text: string) => void;

  constructor(onText: (text: string) => void = () => undefined) {
    super();
    this.#onText = onText;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
    this.#onText(chunk.toString());
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}
