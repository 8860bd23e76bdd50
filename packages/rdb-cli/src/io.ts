import type { Readable, Writable } from "node:stream";

/** What a command may touch of the world outside. Injected, so that tests can run commands in their own process. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Columns of the terminal that stdout is; undefined when it is none. */
  readonly columns: number | undefined;
  /** Columns of the terminal that stderr is, where progress is shown; undefined when it is none. */
  readonly progressColumns: number | undefined;
  /** From now on Ctrl-C calls `listener` instead of ending the process; until what is returned is called. */
  readonly onInterrupt: (listener: () => void) => () => void;
}

/** The process's own streams and environment. */
export function processIo(): Io {
  const { stdin, stdout, stderr, env } = process;
  return {
    stdin,
    stdout,
    stderr,
    env,
    columns: stdout.isTTY ? stdout.columns : undefined,
    progressColumns: stderr.isTTY ? stderr.columns : undefined,
    onInterrupt,
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
