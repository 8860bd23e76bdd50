import type { Entry } from "./messages.ts";

/**
 * The size of an entry where a limit on bytes applies: that of etcd-io/raft's protobuf form, so that the same
 * limit cuts the same batches.
 */
export function entrySizeBytes(entry: Entry): number {
  const fixed = 2 + 1 + varintSizeBytes(entry.term) + 1 + varintSizeBytes(entry.index);
  const dataLength = entry.data.length;
  return dataLength === 0 ? fixed : fixed + 1 + varintSizeBytes(dataLength) + dataLength;
}

/** The sum of `entrySizeBytes`. */
export function entriesSizeBytes(entries: readonly Entry[]): number {
  let total = 0;
  for (const entry of entries) {
    total += entrySizeBytes(entry);
  }
  return total;
}

/** The bytes of the entries' data alone: what inflights and the limit of uncommitted proposals count. */
export function payloadsSizeBytes(entries: readonly Entry[]): number {
  let total = 0;
  for (const entry of entries) {
    total += entry.data.length;
  }
  return total;
}

/**
 * How many of `entries`, read from position `from` up to `end`, stay within `maxBytes`. At least one when
 * there is one, so that an entry larger than the limit still gets through.
 */
export function countWithinBytes(
  entries: readonly Entry[],
  maxBytes: number,
  from = 0,
  end: number = entries.length,
): number {
  let total = 0;
  for (let position = from; position < end; position++) {
    const entry = entries[position];
    if (entry === undefined) {
      return position - from;
    }
    total += entrySizeBytes(entry);
    if (total > maxBytes && position > from) {
      return position - from;
    }
  }
  return Math.max(end - from, 0);
}

/** Bytes of a protobuf varint: seven bits each. */
function varintSizeBytes(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) {
    size++;
  }
  return size;
}
