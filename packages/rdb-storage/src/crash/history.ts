import { type KeyRange, SeededRandom, index, regionId, term } from "@flaredb/rdb-base";
import type { Column } from "../column.ts";
import type { Engine } from "../engine.ts";
import { indexedKey } from "../key-codec.ts";
import { keyText } from "../key-text.ts";
import { getApplyState, putApplyState, putRegionLocalState } from "../region-state-store.ts";
import { WritePart } from "../write-part.ts";

/** One step of a history that its seed and number decide: what a Store of one Region might write. */
export type HistoryStep =
  | { readonly kind: "part"; readonly part: WritePart }
  | { readonly kind: "deleteRange"; readonly column: Column; readonly range: KeyRange };

const REGION = regionId(7);
const DATA_KEYS = 300;
/** The log is compacted to this many entries, some steps late. */
const LOG_LENGTH = 40;
export const historyColumns = ["raft_log", "raft_state", "region", "session", "data", "meta"] as const;

/** Step `number` (from 1). Each part carries its number, as the applied index. */
export function historyStep(seed: number, number: number): HistoryStep {
  const random = new SeededRandom(seed * 1_000_003 + number);
  if (random.nextInt(40) === 0) {
    const low = random.nextInt(DATA_KEYS);
    const high = low + 1 + random.nextInt(20);
    return { kind: "deleteRange", column: "data", range: { startKey: dataKey(low), endKey: dataKey(high) } };
  }
  const part = new WritePart();
  part.put("raft_log", indexedKey(REGION, index(number)), filler(random, number, 600));
  for (let cut = number - LOG_LENGTH; cut > number - LOG_LENGTH - 3 && cut > 0; cut--) {
    part.delete("raft_log", indexedKey(REGION, index(cut)));
  }
  putApplyState(part, REGION, { index: index(number), term: term(6), revision: number, logTimeMs: number });
  for (let i = random.nextInt(4); i > 0; i--) {
    const key = dataKey(random.nextInt(DATA_KEYS));
    if (random.nextInt(5) === 0) {
      part.delete("data", key);
    } else {
      part.put("data", key, filler(random, number, 1_500));
    }
  }
  if (random.nextInt(3) === 0) {
    part.put("session", indexedKey(REGION, index(random.nextInt(50))), filler(random, number, 300));
  }
  if (random.nextInt(10) === 0) {
    part.put("raft_state", filler(random, random.nextInt(20), 1), filler(random, number, 4_000));
    part.put("meta", dataKey(random.nextInt(5)), filler(random, number, 4_000));
    putRegionLocalState(part, {
      state: "Normal",
      region: {
        id: REGION,
        startKey: filler(random, number, 2_000),
        endKey: new Uint8Array(0),
        epoch: { confVer: 1, version: number },
        peers: [],
      },
    });
  }
  part.sync = random.nextInt(3) > 0;
  return { kind: "part", part };
}

/** The number of the last part that the engine holds; 0 in an empty one. */
export function historyLength(engine: Engine): number {
  return getApplyState(engine, REGION)?.index ?? 0;
}

/** What each column holds after the first `count` steps, as texts of key and value in order. */
export class HistoryModel {
  readonly #seed: number;
  readonly #columns = new Map<Column, Map<string, Uint8Array>>(
    historyColumns.map((column) => [column, new Map<string, Uint8Array>()]),
  );
  #count = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  advanceTo(count: number): void {
    for (; this.#count < count; this.#count++) {
      this.#apply(historyStep(this.#seed, this.#count + 1));
    }
  }

  rows(column: Column): [key: string, value: string][] {
    return [...(this.#columns.get(column) ?? [])]
      .map(([key, value]): [string, string] => [key, keyText(value)])
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #apply(step: HistoryStep): void {
    if (step.kind === "deleteRange") {
      const [start, end] = [keyText(step.range.startKey), keyText(step.range.endKey)];
      const rows = this.#columns.get(step.column);
      for (const key of rows?.keys() ?? []) {
        if (key >= start && key < end) {
          rows?.delete(key);
        }
      }
      return;
    }
    for (const { column, key, value } of step.part.ops) {
      if (value === undefined) {
        this.#columns.get(column)?.delete(keyText(key));
      } else {
        this.#columns.get(column)?.set(keyText(key), value);
      }
    }
  }
}

function dataKey(number: number): Uint8Array {
  return new TextEncoder().encode(`key-${String(number).padStart(4, "0")}`);
}

/** Bytes that differ from number to number and do not compress to nothing. */
function filler(random: SeededRandom, number: number, maxLength: number): Uint8Array {
  const bytes = new Uint8Array(1 + random.nextInt(maxLength));
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = (number * 31 + i * (number % 7)) & 0xff;
  }
  return bytes;
}
