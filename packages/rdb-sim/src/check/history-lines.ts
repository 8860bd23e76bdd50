import type { Call, CallFrame, Expectation, Mutation, SeenRow } from "./history.ts";
import { keyIsBetween, keysOf } from "./history.ts";

/**
 * One key's part of one call, as a line of JSON. What a foreign checker needs of a register with compare-and-swap:
 *
 * - `put`: wrote `value`; `delete`: removed the key; with `expectVersion` (0: absent), or `expectValue`, only if the key
 *   was so. `result` `ok`: it did, and `version` is the key's version since, of a delete the revision that it took.
 * - `get`: `output` is the value, null when there is no such key, with its `version`.
 * - `cas`: a put with a condition. `result` `fail` with a `version`: it met that version instead (0: absent).
 * - `result` `unknown`: it takes effect at any time from `startNs` on, once, or never; `endNs` is when its caller gave
 *   up. `fail` without a version: it never has an effect.
 *
 * Calls on several keys are several lines of the same times, one for each key, with one `call` number; they are atomic
 * together, which a checker of single keys cannot use. A scan's page is a `get` of every key of the history that the
 * page would have shown.
 *
 * Porcupine: a partition for each key; the state is (value, version); an `unknown` line returns at the end of time.
 * Knossos: `startNs` gives the `:invoke`, `endNs` the `:ok` or `:fail`, an `unknown` line an `:info`; `cas` with
 * `expectVersion` needs a model with versions.
 */
interface HistoryLine {
  readonly client: string;
  readonly op: "put" | "get" | "delete" | "cas";
  readonly key: string;
  readonly value?: string;
  readonly expectVersion?: number;
  readonly expectValue?: string;
  readonly result: "ok" | "fail" | "unknown";
  readonly output?: string | null;
  readonly version?: number;
  readonly startNs: number;
  readonly endNs: number;
  /** Which call of the history it is a part of, from 0. */
  readonly call: number;
  /** The Region that answered, and its revision after. */
  readonly regionId?: number;
  readonly revision?: number;
}

/** The history as JSON lines, each with its end of line. */
export function* historyLines(calls: readonly Call[]): Generator<string, void, undefined> {
  const keys = [...new Set(calls.flatMap(keysOf))].sort();
  for (const [place, call] of calls.entries()) {
    for (const part of partsOf(call, keys)) {
      yield `${JSON.stringify({ ...frameOf(call), ...part, ...timesOf(call), call: place })}\n`;
    }
  }
}

/**
 * The calls of a history that was written as lines: each line a call on one key. What lines do not say is lost: which
 * keys were read or written together.
 *
 * @throws Error with the number of a line that is none
 */
export function callsOfLines(text: string): Call[] {
  return text.split("\n").flatMap((line, place) => {
    if (line.trim() === "") {
      return [];
    }
    try {
      return [callOf(JSON.parse(line) as HistoryLine)];
    } catch (error) {
      throw new Error(`line ${place + 1} of the history cannot be read: ${line}`, { cause: error });
    }
  });
}

type Part = Pick<HistoryLine, "op" | "key"> & Partial<HistoryLine>;

function frameOf({ client, outcome }: Call): Pick<HistoryLine, "client" | "result"> {
  return { client, result: outcome };
}

function timesOf({ startNs, endNs, shown }: Call): Partial<HistoryLine> {
  return { startNs, endNs, ...shown };
}

function partsOf(call: Call, keys: readonly string[]): Part[] {
  switch (call.op) {
    case "get":
    case "batchGet":
    case "scan": {
      const read =
        call.op === "scan" ? keys.filter((key) => keyIsBetween(key, call.from, call.to)) : call.keys;
      const rows = new Map(call.rows.map((row) => [row.key, row]));
      return read.map((key) => readPart(call, key, rows.get(key)));
    }
    case "put":
    case "delete":
    case "batchPut":
    case "batchDelete":
      return lastOfEach(call.mutations).map(({ mutation, place }) =>
        writePart(mutation, versionOf(call, call.mutations.length - 1 - place)),
      );
    case "cas":
    case "conditionalBatch":
      return lastOfEach(call.mutations).map(({ mutation, place }) => {
        const expect = call.conditions.find(({ key }) => key === mutation.key)?.expect;
        const isDone = call.outcome !== "ok" || call.succeeded === true;
        const version = isDone ? versionOf(call, call.mutations.length - 1 - place) : {};
        const met = call.metVersion === undefined ? {} : { version: call.metVersion };
        const op = expect !== undefined && mutation.value !== undefined ? { op: "cas" as const } : {};
        const refused = isDone ? {} : { result: "fail" as const, ...met };
        return { ...writePart(mutation, version), ...op, ...conditionPart(expect), ...refused };
      });
    case "deleteRange":
      return keys
        .filter((key) => keyIsBetween(key, call.from, call.to))
        .map((key) => writePart({ key, value: undefined }, versionOf(call, 0)));
  }
}

function readPart(call: Call, key: string, row: SeenRow | undefined): Part {
  if (call.outcome !== "ok") {
    return { op: "get", key };
  }
  return row === undefined
    ? { op: "get", key, output: null }
    : { op: "get", key, output: row.value, version: row.version };
}

function writePart({ key, value }: Mutation, version: { readonly version?: number }): Part {
  return value === undefined ? { op: "delete", key, ...version } : { op: "put", key, value, ...version };
}

function conditionPart(expect: Expectation | undefined): Partial<HistoryLine> {
  switch (expect?.kind) {
    case undefined:
      return {};
    case "version":
      return { expectVersion: expect.version };
    case "absent":
      return { expectVersion: 0 };
    case "value":
      return { expectValue: expect.value };
  }
}

/** The revision that lies `before` writes of an answered call ahead of its last one. */
function versionOf({ shown }: Call, before: number): { readonly version?: number } {
  return shown === undefined ? {} : { version: shown.revision - before };
}

/** The call is atomic: of several writes of one key only the last is ever seen. */
function lastOfEach(mutations: readonly Mutation[]) {
  return mutations.flatMap((mutation, place) => {
    const isLast = mutations.findLastIndex(({ key }) => key === mutation.key) === place;
    return isLast ? [{ mutation, place }] : [];
  });
}

function callOf(line: HistoryLine): Call {
  const { client, op, key, startNs, endNs, regionId, revision } = line;
  const isRefused = line.result === "fail" && line.version !== undefined;
  const shown = regionId === undefined || revision === undefined ? {} : { shown: { regionId, revision } };
  const frame: CallFrame = { client, startNs, endNs, outcome: isRefused ? "ok" : line.result, ...shown };
  if (op === "get") {
    const isFound = typeof line.output === "string" && line.version !== undefined;
    const rows = isFound ? [{ key, value: line.output as string, version: line.version as number }] : [];
    return { ...frame, op: "get", keys: [key], rows };
  }
  // Of a write, the revision is the one that it took; of a call that was refused, what it looked at.
  const own =
    isRefused || line.version === undefined
      ? {}
      : { shown: { regionId: regionId ?? 0, revision: line.version } };
  const mutations = [{ key, value: op === "delete" ? undefined : line.value }];
  const expect = expectationOf(line);
  if (expect !== undefined) {
    const succeeded = frame.outcome === "ok" ? { succeeded: !isRefused } : {};
    const met = isRefused ? { metVersion: line.version as number } : {};
    return { ...frame, ...own, op: "cas", conditions: [{ key, expect }], mutations, ...succeeded, ...met };
  }
  return { ...frame, ...own, op: op === "delete" ? "delete" : "put", mutations };
}

function expectationOf({ expectVersion, expectValue }: HistoryLine): Expectation | undefined {
  if (expectValue !== undefined) {
    return { kind: "value", value: expectValue };
  }
  if (expectVersion === undefined) {
    return undefined;
  }
  return expectVersion === 0 ? { kind: "absent" } : { kind: "version", version: expectVersion };
}
