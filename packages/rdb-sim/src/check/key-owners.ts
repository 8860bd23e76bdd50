import { type Call, keysOf } from "./history.ts";
import type { Lineage } from "./lineage.ts";
import type { Problem } from "./revision-problem.ts";
import { takenCount } from "./taken-count.ts";

/** The newest revision of a key that was shown, whichever Region owned it then. */
interface Shown {
  readonly call: Call;
  readonly revision: number;
}

const KEY_HAS_ONE_OWNER = "a key has one owner";

/**
 * Whether Regions answered only for keys that were theirs. Revisions rise along the way of a key through splits and
 * merges, so an answer of a former owner, asked for after the new one has shown more, goes back: of two Regions that
 * answer for a key at the same time one is found out by its revision.
 */
export function ownerProblems(calls: readonly Call[], lineage: Lineage): Problem[] {
  const answered = calls.filter((call) => call.outcome === "ok" && call.shown !== undefined);
  return [...answered.flatMap((call) => notOwned(call, lineage)), ...wentBack(answered)];
}

function notOwned(call: Call, lineage: Lineage): Problem[] {
  const { regionId, revision } = call.shown as NonNullable<Call["shown"]>;
  const key = keysOf(call).find((each) => !lineage.owned(regionId, revision, each));
  if (key === undefined) {
    return [];
  }
  const text = `Region ${regionId} answers for "${key}" at revision ${revision}, when it was another Region's`;
  return [{ name: KEY_HAS_ONE_OWNER, text, calls: [call] }];
}

/** By start and by end at the same time: each call is held against what had been shown when it began. */
function wentBack(calls: readonly Call[]): Problem[] {
  const problems: Problem[] = [];
  const newest = new Map<string, Shown>();
  const byEnd = calls.toSorted((a, b) => a.endNs - b.endNs);
  let ended = 0;
  for (const call of calls.toSorted((a, b) => a.startNs - b.startNs)) {
    for (; ended < byEnd.length && (byEnd[ended] as Call).endNs < call.startNs; ended++) {
      note(byEnd[ended] as Call, newest);
    }
    const { regionId, revision } = call.shown as NonNullable<Call["shown"]>;
    const lowest = revision - takenCount(call);
    const known = keysOf(call).map((key) => ({ key, shown: newest.get(key) }));
    const bad = known.find(({ shown }) => shown !== undefined && shown.revision > lowest);
    if (bad?.shown !== undefined && bad.shown.call.shown?.regionId !== regionId) {
      const { key, shown } = bad;
      const text =
        `"${key}" was shown at revision ${shown.revision} by Region ${shown.call.shown?.regionId} before a call ` +
        `began that Region ${regionId} answers at ${lowest}`;
      problems.push({ name: KEY_HAS_ONE_OWNER, text, calls: [shown.call, call] });
    }
  }
  return problems;
}

function note(call: Call, newest: Map<string, Shown>): void {
  const revision = call.shown?.revision ?? 0;
  for (const key of keysOf(call)) {
    const known = newest.get(key);
    if (known === undefined || known.revision < revision) {
      newest.set(key, { call, revision });
    }
  }
}
