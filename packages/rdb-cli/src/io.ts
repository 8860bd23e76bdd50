import type { Readable, Writable } from "node:stream";
import { painter, wantsColors } from "./output/paint.ts";
import type { Screen } from "./output/table.ts";

/** What a command may touch of the world outside. Injected, so that tests can run commands in their own process. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Columns of the terminal that stdout is; undefined when it is none. As wide as it is now. */
  readonly columns: number | undefined;
  /** Lines of the terminal that stdout is; undefined when it is none, or does not say. */
  readonly rows: number | undefined;
  /** Whether stdout shows colours. */
  readonly colors: boolean;
  /** Columns of the terminal that stderr is, where progress is shown; undefined when it is none. */
  readonly progressColumns: number | undefined;
  /** From now on Ctrl-C calls `listener` instead of ending the process; until what is returned is called. */
  readonly onInterrupt: (listener: () => void) => () => void;
  /**
   * From now on each key that is pressed calls `listener`, and is not shown; until what is returned is called. Ctrl-C is
   * one of them: `\u0003`. undefined: stdin is no terminal.
   */
  readonly onKey: ((listener: (key: string) => void) => () => void) | undefined;
}

/** What tables are shown on. */
export function screenOf(io: Pick<Io, "columns" | "colors">): Screen {
  return { width: io.columns, paint: painter(io.colors) };
}

/** The process's own streams and environment. */
export function processIo(): Io {
  const { stdin, stdout, stderr, env } = process;
  return {
    stdin,
    stdout,
    stderr,
    env,
    get columns() {
      return columnsOf(stdout);
    },
    get rows() {
      return stdout.isTTY ? stdout.rows || undefined : undefined;
    },
    colors: wantsColors(stdout.isTTY, env),
    get progressColumns() {
      return columnsOf(stderr);
    },
    onInterrupt,
    onKey: stdin.isTTY ? onKey : undefined,
  };
}

/** What a terminal is taken for that does not say how wide it is: as `ssh -tt` and `script` make them for programs. */
const USUAL_COLUMNS = 80;

/** Columns of the terminal that a stream is; undefined when it is none. */
export function columnsOf(stream: {
  readonly isTTY?: boolean;
  readonly columns?: number;
}): number | undefined {
  return stream.isTTY === true ? stream.columns || USUAL_COLUMNS : undefined;
}

function onKey(listener: (key: string) => void): () => void {
  const { stdin } = process;
  const onData = (chunk: Buffer): void => listener(chunk.toString());
  stdin.setRawMode(true);
  stdin.on("data", onData);
  return () => {
    stdin.off("data", onData);
    stdin.setRawMode(false);
    // It would keep the process alive.
    stdin.pause();
  };
}

function onInterrupt(listener: () => void): () => void {
  process.on("SIGINT", listener);
  return () => process.off("SIGINT", listener);
}

/** Writes and, when the reader is slower than we are, waits for it. */
export async function write(stream: Writable, chunk: string | Uint8Array): Promise<void> {
  if (stream.write(chunk)) {
    return;
  }
  await new Promise<void>((resolve, reject) => {
    const settle = (error?: Error): void => {
      stream.off("drain", onDrain);
      stream.off("error", settle);
      stream.off("close", onDrain);
      if (error === undefined) {
        resolve();
      } else {
        reject(error);
      }
    };
    const onDrain = (): void => settle();
    stream.once("drain", onDrain);
    stream.once("error", settle);
    stream.once("close", onDrain);
  });
}
