import { RdbError, errorCodes } from "@flaredb/rdb-base";
import type { AnswerTrace } from "@flaredb/rdb-client";
import type { Call, CallFrame, History, Outcome } from "../check/history.ts";
import { answeredCall, text } from "./answered-call.ts";

export interface CallRecorderOptions {
  readonly history: History;
  /** Nanoseconds of one clock for all clients, which no fault touches. */
  readonly nowNs: () => number;
  /** Called with each call, right after it was noted. */
  readonly onCall?: (call: Call) => void;
}

/** A call that is about to be made. */
export interface PlannedCall {
  /** As the wire names it. */
  readonly command: AnswerTrace["command"]["case"];
  /** What it names; empty: a range. */
  readonly keys: readonly string[];
  /** What the history says of it when it fails: of a write, all that may have had an effect. */
  readonly unanswered: (frame: CallFrame, error: RdbError) => readonly Call[];
}

/** A call that is under way. */
interface Open {
  readonly client: string;
  readonly plan: PlannedCall;
  readonly startNs: number;
}

/** How a call ended for its caller. */
export type Ended<Result> =
  | { readonly outcome: "ok"; readonly result: Result }
  | { readonly outcome: Exclude<Outcome, "ok">; readonly error: RdbError };

/**
 * Notes what one RdbClient does. Answers come through the client's `onAnswer`, one for each Region that a call reached
 * and with all that the Region said, so a batch over two Regions is two calls of the history.
 */
export class CallRecorder {
  readonly #options: CallRecorderOptions;
  readonly #open = new Set<Open>();

  constructor(options: CallRecorderOptions) {
    this.#options = options;
  }

  /** For `RdbClient.connectOver`. */
  readonly onAnswer = (trace: AnswerTrace): void => {
    const key = firstKeyOf(trace);
    const fits = ({ plan }: Open): boolean =>
      plan.command === trace.command.case && (key === undefined || plan.keys.includes(key));
    const first = [...this.#open].find(fits);
    if (first === undefined) {
      // A page that was fetched ahead for a scan which nobody reads on.
      return;
    }
    // Whichever of several like calls it ended: no one of them began before the first.
    this.#note(
      answeredCall(trace, { client: first.client, startNs: first.startNs, endNs: this.#options.nowNs() }),
    );
  };

  /** Makes a call and notes how it ended, also if it was not answered. @throws what is no RdbError */
  async call<Result>(client: string, plan: PlannedCall, run: () => Promise<Result>): Promise<Ended<Result>> {
    const open: Open = { client, plan, startNs: this.#options.nowNs() };
    this.#open.add(open);
    try {
      return { outcome: "ok", result: await run() };
    } catch (error) {
      if (!(error instanceof RdbError)) {
        throw error;
      }
      const endNs = this.#options.nowNs();
      const outcome = errorCodes[error.code].write === "unknown" ? "unknown" : "fail";
      const frame: CallFrame = { client, startNs: open.startNs, endNs, outcome };
      plan.unanswered(frame, error).forEach((call) => this.#note(call));
      return { outcome, error };
    } finally {
      this.#open.delete(open);
    }
  }

  #note(call: Call): void {
    this.#options.history.note(call);
    this.#options.onCall?.(call);
  }
}

/** A key that the request names; undefined when it names a range. */
function firstKeyOf({ command }: AnswerTrace): string | undefined {
  switch (command.case) {
    case "get":
    case "put":
    case "delete":
    case "compareAndSwap":
    case "compareAndDelete":
      return text(command.value.key);
    case "batchGet":
    case "batchDelete":
      return command.value.keys.map(text)[0];
    case "batchPut":
      return command.value.rows.map(({ key }) => text(key))[0];
    case "conditionalBatch":
      return command.value.mutations
        .flatMap(({ operation }) =>
          operation.case === "put" ? [operation.value.key] : (operation.value ?? []),
        )
        .map(text)[0];
    case "scan":
    case "deleteRange":
    case undefined:
      return undefined;
  }
}
