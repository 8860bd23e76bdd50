import { assert, assertNever } from "@flaredb/rdb-base";
import type { WriteCommands } from "@flaredb/rdb-proto";
import type { ApplyView } from "./apply-view.ts";
import type { EntrySessions, Verdict } from "./entry-sessions.ts";
import { type RevisionCounter, type WriteResult, evaluateWrite } from "./evaluate-write.ts";

/** The writes of one entry. */
export type Writes = WriteCommands["writes"];

/** What becomes of each write; undefined at the place of one without identity, and when no write has one. */
export function decideWrites(
  writes: Writes,
  sessions: EntrySessions | undefined,
): readonly (Verdict | undefined)[] | undefined {
  return sessions === undefined
    ? undefined
    : writes.map(({ command }, place) => sessions.decide(place, command));
}

/** Carries a write out, or says what was found without. */
export function carryOut(
  write: Writes[number],
  verdict: Verdict | undefined,
  entry: {
    readonly view: ApplyView;
    readonly counter: RevisionCounter;
    /** Of the writes before it in the entry. */
    readonly results: readonly WriteResult[];
    readonly isAwaited: boolean;
  },
): WriteResult {
  switch (verdict?.kind) {
    case "answer":
      return verdict.result;
    case "repeat": {
      const result = entry.results[verdict.ofPlace];
      assert(result !== undefined, "a write is repeated after it was carried out");
      return result;
    }
    case undefined:
    case "record":
      return evaluateWrite(
        write.command,
        entry.view,
        entry.counter,
        entry.isAwaited || verdict !== undefined,
      );
    default:
      return assertNever(verdict, "verdict");
  }
}
