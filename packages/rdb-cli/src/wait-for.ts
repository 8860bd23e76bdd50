import { MINUTE_MS, RdbError, hasCode } from "@flaredb/rdb-base";
import { write } from "./io.ts";
import { ProgressLine } from "./output/progress-line.ts";
import type { Call } from "./shell.ts";

const POLL_INTERVAL_MS = 200;
/** PD may be restarted while somebody waits; after this without an answer the waiting is given up. */
const PD_PATIENCE_MS = 1 * MINUTE_MS;

/** How far it is. */
export type Look<Result> = { readonly done: Result } | { readonly text: string };

export interface WaitPlan<Result> {
  /** Asks PD. */
  readonly look: () => Promise<Look<Result>>;
  /** What Ctrl-C says: that it goes on, how to look at it, how to stop it. */
  readonly goesOn: string;
}

/**
 * Asks PD again and again, with a progress line, until what was begun is done.
 *
 * @returns undefined after Ctrl-C: it goes on, and that was said
 * @throws what `look` throws; RDB_PD_UNAVAILABLE only when PD has not answered for a minute
 */
export async function waitFor<Result>(
  call: Call<unknown>,
  plan: WaitPlan<Result>,
): Promise<{ readonly done: Result } | undefined> {
  const { promise: interrupted, resolve } = Promise.withResolvers<"interrupted">();
  const stopListening = call.io.onInterrupt(() => resolve("interrupted"));
  const line = new ProgressLine(call.io, call.globals.json);
  let answeredMs = performance.now();
  try {
    for (;;) {
      const look = await Promise.race([interrupted, lookPatiently(plan, () => answeredMs)]);
      if (look === "interrupted") {
        line.clear();
        await write(call.io.stderr, `${plan.goesOn}\n`);
        return undefined;
      }
      if (look !== undefined) {
        answeredMs = performance.now();
        if ("done" in look) {
          return look;
        }
      }
      line.show(look?.text ?? "the placement driver does not answer, asking again");
      await Promise.race([interrupted, pause()]);
    }
  } finally {
    stopListening();
    line.clear();
  }
}

async function lookPatiently<Result>(
  plan: WaitPlan<Result>,
  answeredMs: () => number,
): Promise<Look<Result> | undefined> {
  try {
    return await plan.look();
  } catch (error) {
    if (hasCode(error, "RDB_PD_UNAVAILABLE") && performance.now() - answeredMs() < PD_PATIENCE_MS) {
      return undefined;
    }
    throw RdbError.from(error);
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
}
