import { assert, assertNever, compareEndKeys, compareKeys } from "@flaredb/rdb-base";
import type { LogCommand, WriteCommand } from "@flaredb/rdb-proto";

/** A write as an entry holds it: one that shares its entry with others, or a deleteRange. */
export type Write = WriteCommand["command"] | Extract<LogCommand["command"], { case: "deleteRange" }>;

/** What a record keeps of the keys that a write speaks of; of a deleteRange, its range. */
export interface WriteSpan {
  readonly firstKey: Uint8Array;
  /** The same object as `firstKey` when there is one key. */
  readonly lastKey: Uint8Array;
  /** Of each key between those two, four bytes. */
  readonly keyHashes: Uint8Array;
}

const HASH_BYTES = 4;
const NO_HASHES = new Uint8Array(0);

export function spanOf(write: Write): WriteSpan {
  switch (write.case) {
    case "put":
    case "delete":
    case "compareAndSwap":
    case "compareAndDelete":
      return { firstKey: write.value.key, lastKey: write.value.key, keyHashes: NO_HASHES };
    case "deleteRange":
      return { firstKey: write.value.startKey, lastKey: write.value.endKey, keyHashes: NO_HASHES };
    default:
      return spanOfKeys(keysOf(write));
  }
}

/**
 * Whether all that a write speaks of is in what a record keeps of a write of the same kind. Keys that only lie between
 * the recorded ones are another write's.
 */
export function spanCovers(span: WriteSpan, write: Write): boolean {
  if (write.case === "deleteRange") {
    const { startKey, endKey } = write.value;
    return compareKeys(span.firstKey, startKey) <= 0 && compareEndKeys(endKey, span.lastKey) <= 0;
  }
  const hashes = hashSet(span.keyHashes);
  return keysOf(write).every((key) => {
    const toFirst = compareKeys(span.firstKey, key);
    const toLast = compareKeys(key, span.lastKey);
    return toFirst === 0 || toLast === 0 || (toFirst < 0 && toLast < 0 && hashes.has(hashOf(key)));
  });
}

function keysOf(write: Exclude<Write, { case: "deleteRange" }>): readonly Uint8Array[] {
  switch (write.case) {
    case "put":
    case "delete":
    case "compareAndSwap":
    case "compareAndDelete":
      return [write.value.key];
    case "batchPut":
      return write.value.rows.map((row) => row.key);
    case "batchDelete":
      return write.value.keys;
    case "conditionalBatch":
      return [
        ...write.value.conditions.map((condition) => condition.key),
        ...write.value.mutations.map(({ operation }) => {
          assert(operation.case !== undefined, "a mutation puts or deletes");
          return operation.case === "put" ? operation.value.key : operation.value;
        }),
      ];
    case undefined:
      return assert(false, "a write command has a case") as never;
    default:
      return assertNever(write, "write");
  }
}

function spanOfKeys(keys: readonly Uint8Array[]): WriteSpan {
  const [first] = keys;
  assert(first !== undefined, "a batch is not empty");
  let firstKey = first;
  let lastKey = first;
  for (const key of keys) {
    if (compareKeys(key, firstKey) < 0) {
      firstKey = key;
    } else if (compareKeys(key, lastKey) > 0) {
      lastKey = key;
    }
  }
  const between = keys.filter((key) => key !== firstKey && key !== lastKey);
  return { firstKey, lastKey, keyHashes: between.length === 0 ? NO_HASHES : hashesOf(between) };
}

function hashesOf(keys: readonly Uint8Array[]): Uint8Array {
  const hashes = new DataView(new ArrayBuffer(keys.length * HASH_BYTES));
  for (const [place, key] of keys.entries()) {
    hashes.setUint32(place * HASH_BYTES, hashOf(key));
  }
  return new Uint8Array(hashes.buffer);
}

function hashSet(hashes: Uint8Array): ReadonlySet<number> {
  const set = new Set<number>();
  const view = new DataView(hashes.buffer, hashes.byteOffset, hashes.byteLength);
  for (let at = 0; at + HASH_BYTES <= hashes.length; at += HASH_BYTES) {
    set.add(view.getUint32(at));
  }
  return set;
}

/** FNV-1a. Part of the disk format. */
function hashOf(key: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of key) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}
