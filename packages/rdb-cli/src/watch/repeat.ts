import { RdbError } from "@flaredb/rdb-base";
import { type ExitCode, exitCodes, reportFailure } from "../failure.ts";
import { write } from "../io.ts";
import { toJsonLine } from "../output/json.ts";
import type { Call } from "../shell.ts";
import { LiveScreen } from "./live-screen.ts";

const CTRL_C = "\u0003";
const QUIT = "q";

/** How often something is looked at, and until when. */
export interface Repetition {
  readonly everyMs: number;
  /** Looks until it ends by itself; undefined: Ctrl-C or q end it. */
  readonly maxCount?: number | undefined;
  /** What a key does, on a terminal; true: look again at once. */
  readonly onKey?: (key: string) => boolean;
}

/**
 * Looks again and again, each time with a `print` of its own. On a terminal each look replaces the last one; elsewhere
 * they follow each other, with --json as one line each. A look that fails is shown, and the next may succeed.
 *
 * @returns what the last look exits with when `maxCount` ended it; 0 after Ctrl-C
 * @throws what the first look throws: nothing was ever seen then
 */
export async function repeat<Options>(
  call: Call<Options>,
  repetition: Repetition,
  look: (call: Call<Options>) => Promise<ExitCode | undefined>,
): Promise<ExitCode> {
  const first = await lookOnce(call, look);
  const output = call.io.columns === undefined || call.globals.json ? appended(call) : onScreen(call);
  const end = new Ending(call, repetition);
  try {
    await output.show(first.text);
    let { exitCode } = first;
    for (let count = 1; count !== repetition.maxCount; count++) {
      if (await end.comesWithin(repetition.everyMs)) {
        return exitCodes.done;
      }
      try {
        const next = await lookOnce(call, look);
        exitCode = next.exitCode;
        await output.show(next.text);
      } catch (error) {
        exitCode = exitCodes.failed;
        await output.fail(RdbError.from(error));
      }
    }
    return exitCode;
  } finally {
    end.stopListening();
    output.close();
  }
}

interface Look {
  readonly text: string;
  readonly exitCode: ExitCode;
}

async function lookOnce<Options>(
  call: Call<Options>,
  look: (call: Call<Options>) => Promise<ExitCode | undefined>,
): Promise<Look> {
  let text = "";
  const print: Call<Options>["print"] = async (document, render) => {
    text += call.globals.json ? toJsonLine(document) : await render();
  };
  const exitCode = (await look({ ...call, print })) ?? exitCodes.done;
  return { text, exitCode };
}

/** Where looks are shown. */
interface Output {
  show(text: string): Promise<void>;
  fail(error: RdbError): Promise<void>;
  close(): void;
}

function appended({ io, globals }: Call<unknown>): Output {
  let separator = "";
  return {
    show: async (text) => {
      await write(io.stdout, separator + text);
      separator = globals.json ? "" : "\n";
    },
    fail: async (error) => {
      await reportFailure(error, globals.json, io);
    },
    close: () => {},
  };
}

function onScreen({ io }: Call<unknown>): Output {
  const screen = new LiveScreen(io);
  let last = "";
  return {
    show: (text) => {
      last = text;
      screen.draw(text);
      return Promise.resolve();
    },
    fail: ({ message }) => {
      screen.draw(`error: ${message}; asking again. What was last seen:\n\n${last}`);
      return Promise.resolve();
    },
    close: () => screen.close(),
  };
}

/** What ends the looking: Ctrl-C or q. */
class Ending {
  readonly #repetition: Repetition;
  readonly #stops: (() => void)[] = [];
  #isOver = false;
  /** Somebody wants to see it again before the time: a key was pressed during a look. */
  #isAwaited = false;
  #wake: () => void = () => {};

  constructor({ io, globals }: Call<unknown>, repetition: Repetition) {
    this.#repetition = repetition;
    this.#stops.push(io.onInterrupt(() => this.#end()));
    if (io.onKey !== undefined && io.columns !== undefined && !globals.json) {
      this.#stops.push(io.onKey((key) => this.#pressed(key)));
    }
  }

  /** Waits; true: nobody wants to look again. */
  async comesWithin(waitMs: number): Promise<boolean> {
    if (!this.#isOver && !this.#isAwaited) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isAwaited = false;
    return this.#isOver;
  }

  stopListening(): void {
    for (const stop of this.#stops) {
      stop();
    }
  }

  #pressed(key: string): void {
    if (key === CTRL_C || key === QUIT) {
      this.#end();
    } else if (this.#repetition.onKey?.(key) === true) {
      this.#isAwaited = true;
      this.#wake();
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#wake();
  }
}
