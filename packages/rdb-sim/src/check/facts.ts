import type { Call, ConditionalCall, SeenRow } from "./history.ts";
import type { Pattern } from "./register-model.ts";

/** An acknowledged write of one key, at the revision that it took. */
export interface WriteFact {
  readonly call: Call;
  readonly regionId: number;
  readonly revision: number;
  readonly key: string;
  readonly value: string | undefined;
}

/** An acknowledged deletion of a range, at the one revision that it took. */
interface RangeFact {
  readonly call: Call;
  readonly regionId: number;
  readonly revision: number;
  readonly from: string;
  readonly to: string;
}

/** What a key was in its Region at a revision, as an answer said. */
export interface ReadFact {
  readonly call: Call;
  readonly regionId: number;
  readonly revision: number;
  readonly key: string;
  readonly seen: Pattern;
}

/** What a page of a scan showed: of its range these keys, and no other. */
export interface PageFact {
  readonly call: Call;
  readonly regionId: number;
  readonly revision: number;
  readonly from: string;
  readonly to: string;
  readonly keys: ReadonlySet<string>;
}

/** What all answered calls say, each about one Region at one revision. */
export interface Facts {
  readonly writes: readonly WriteFact[];
  readonly ranges: readonly RangeFact[];
  readonly reads: readonly ReadFact[];
  readonly pages: readonly PageFact[];
}

/** Calls without a known Region and revision say nothing here. */
export function factsOf(calls: readonly Call[]): Facts {
  const collected = { writes: [], ranges: [], reads: [], pages: [] };
  for (const call of calls) {
    if (call.outcome === "ok" && call.shown !== undefined) {
      collect(call, call.shown.regionId, call.shown.revision, collected);
    }
  }
  return collected;
}

interface Collected {
  readonly writes: WriteFact[];
  readonly ranges: RangeFact[];
  readonly reads: ReadFact[];
  readonly pages: PageFact[];
}

function collect(call: Call, regionId: number, revision: number, into: Collected): void {
  const base = { call, regionId };
  switch (call.op) {
    case "get":
    case "batchGet": {
      const rows = new Map(call.rows.map((row) => [row.key, row]));
      for (const key of call.keys) {
        into.reads.push({ ...base, revision, key, seen: seenRow(rows.get(key)) });
      }
      return;
    }
    case "scan":
      for (const row of call.rows) {
        into.reads.push({ ...base, revision, key: row.key, seen: seenRow(row) });
      }
      into.pages.push({ ...base, revision, from: call.from, to: call.to, keys: keySet(call.rows) });
      return;
    case "put":
    case "delete":
    case "batchPut":
    case "batchDelete": {
      const first = revision - call.mutations.length + 1;
      for (const [place, mutation] of call.mutations.entries()) {
        into.writes.push({ ...base, ...mutation, revision: first + place });
      }
      const key = call.mutations[0]?.key;
      if (call.deleted !== undefined && key !== undefined) {
        const seen: Pattern = { kind: call.deleted ? "present" : "absent" };
        into.reads.push({ ...base, revision: first - 1, key, seen });
      }
      return;
    }
    case "cas":
    case "conditionalBatch":
      collectConditional(call, regionId, revision, into);
      return;
    case "deleteRange":
      into.ranges.push({ ...base, revision, from: call.from, to: call.to });
  }
}

function collectConditional(
  call: ConditionalCall,
  regionId: number,
  revision: number,
  into: Collected,
): void {
  const base = { call, regionId };
  const first = call.succeeded === true ? revision - call.mutations.length + 1 : revision + 1;
  const held = call.conditions.filter((_, place) => conditionHeld(call, place));
  for (const { key, expect } of held) {
    into.reads.push({ ...base, revision: first - 1, key, seen: expect });
  }
  const key = call.conditions[0]?.key;
  if (call.metVersion !== undefined && key !== undefined) {
    const { metVersion } = call;
    const seen: Pattern = metVersion === 0 ? { kind: "absent" } : { kind: "version", version: metVersion };
    into.reads.push({ ...base, revision, key, seen });
  }
  if (call.succeeded === true) {
    for (const [place, mutation] of call.mutations.entries()) {
      into.writes.push({ ...base, ...mutation, revision: first + place });
    }
  }
}

function conditionHeld(call: ConditionalCall, place: number): boolean {
  return call.succeeded === true || call.failedConditions?.includes(place) === false;
}

function seenRow(row: SeenRow | undefined): Pattern {
  return row === undefined ? { kind: "absent" } : { kind: "row", value: row.value, version: row.version };
}

function keySet(rows: readonly SeenRow[]): ReadonlySet<string> {
  return new Set(rows.map(({ key }) => key));
}
