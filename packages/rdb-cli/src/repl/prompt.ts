import { Readable } from "node:stream";
import { type Interface, createInterface } from "node:readline/promises";
import { RdbError } from "@flaredb/rdb-base";
import { completeWords } from "../completion/complete-words.ts";
import { type CompletionNode, idKinds } from "../completion/completion-tree.ts";
import { fetchIds } from "../completion/fetch-ids.ts";
import type { Globals } from "../globals.ts";
import { invalid } from "../input/bytes.ts";
import type { Io } from "../io.ts";
import { HISTORY_MAX_COUNT, historyPath, readHistory, writeHistory } from "./history-file.ts";
import { splitLine } from "./split-line.ts";

const PROMPT = "rdb> ";

/** Lines from a terminal, with editing, history and completion; or from a file. */
export class Prompt {
  readonly #io: Io;
  readonly #readline: Interface;
  readonly #interrupts = new Set<() => void>();

  constructor(io: Io, globals: Globals, nodes: readonly CompletionNode[]) {
    this.#io = io;
    const path = historyPath(io.env);
    this.#readline = createInterface({
      input: io.stdin,
      output: io.stdout,
      terminal: io.columns !== undefined,
      prompt: PROMPT,
      history: io.columns === undefined ? [] : readHistory(path),
      historySize: HISTORY_MAX_COUNT,
      removeHistoryDuplicates: true,
      completer: (line: string) => complete(line, globals, nodes),
    });
    this.#readline.on("SIGINT", () => this.#interrupt());
    if (io.columns !== undefined) {
      this.#keepHistory(path);
    }
  }

  /** The lines until the end of input, or until `close`. Each is asked for when the one before is done. */
  async *lines(): AsyncGenerator<string> {
    this.#ask();
    for await (const line of this.#readline) {
      yield line;
      this.#ask();
    }
  }

  /** What a command of one line may touch: the lines to come are not its input, and Ctrl-C ends it alone. */
  get io(): Io {
    const io = this.#io;
    return {
      ...{ stdin: noInput(), stdout: io.stdout, stderr: io.stderr, env: io.env },
      ...{ columns: io.columns, rows: io.rows, colors: io.colors, progressColumns: io.progressColumns },
      onKey: undefined,
      onInterrupt: (listener) => {
        this.#interrupts.add(listener);
        return () => this.#interrupts.delete(listener);
      },
    };
  }

  close(): void {
    this.#readline.close();
  }

  #ask(): void {
    if (this.#io.columns !== undefined) {
      this.#readline.prompt();
    }
  }

  #interrupt(): void {
    if (this.#interrupts.size > 0) {
      for (const interrupt of this.#interrupts) {
        interrupt();
      }
      return;
    }
    // As shells do: the line is dropped, and a new one begun.
    this.#io.stdout.write("^C\n");
    this.#readline.write(null, { ctrl: true, name: "e" });
    this.#readline.write(null, { ctrl: true, name: "u" });
    this.#readline.prompt();
  }

  #keepHistory(path: string): void {
    let isTold = false;
    this.#readline.on("history", (lines: string[]) => {
      // A line that begins with a blank is nobody's business, as in other shells.
      if (lines[0]?.startsWith(" ")) {
        lines.shift();
      }
      const failure = writeHistory(path, lines);
      if (failure !== undefined && !isTold) {
        isTold = true;
        this.#io.stderr.write(`the history is not kept: ${failure}; RDB_HISTORY names another file\n`);
      }
    });
  }
}

/** What would be a command's input is the lines to come. */
function noInput(): Readable {
  return new Readable({
    read() {
      this.destroy(invalid("value", "stdin cannot be read from within the shell: give the value, or a file"));
    },
  });
}

/** As readline wants it: what may stand in the place of the last word, and that word. */
async function complete(
  line: string,
  globals: Globals,
  nodes: readonly CompletionNode[],
): Promise<[string[], string]> {
  const begun = /\S*$/.exec(line)?.[0] ?? "";
  const { words, kind } = completeWords(nodes, wordsOf(line.slice(0, line.length - begun.length)), begun);
  const idKind = idKinds.find((each) => each === kind);
  const ids = idKind === undefined ? [] : await idsOrNone(globals, idKind);
  const hits = [...words, ...ids].filter((word) => word.startsWith(begun));
  return [hits.map((hit) => `${hit} `), begun];
}

function wordsOf(text: string): string[] {
  try {
    return splitLine(text);
  } catch (error) {
    // Within a quote nothing is completed: the words are as far as they go.
    return RdbError.from(error).code === "RDB_INVALID_ARGUMENT" ? text.split(/\s+/).filter(Boolean) : [];
  }
}

// A completion must not print over the line: without an answer there is none.
async function idsOrNone(globals: Globals, kind: Parameters<typeof fetchIds>[1]): Promise<string[]> {
  return fetchIds(globals, kind).catch(() => []);
}
