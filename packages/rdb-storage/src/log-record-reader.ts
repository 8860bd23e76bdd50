import { crc32c } from "./crc32c.ts";

// RocksDB's log format, of write-ahead logs and manifests: blocks of 32 KiB, each a sequence of fragments that do not
// cross its end. A fragment: masked CRC-32C of what follows the length (4 bytes), length of the data (2), type (1),
// for the recyclable types the log's number (4), data. All little endian. A block's last bytes, too few for a
// header, are zero; so is room that was allocated and not written.

export const LOG_BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;
const RECYCLABLE_HEADER_BYTES = 11;
const MAX_TYPE = 11;
const MASK_DELTA = 0xa282ead8;

type Part = "full" | "first" | "middle" | "last" | "other";

/** What the types stand for, from 1; 0 is room that was not written. Those above 8 hold settings. */
const parts: readonly Part[] = [
  "other",
  "full",
  "first",
  "middle",
  "last",
  "full",
  "first",
  "middle",
  "last",
];

/** Takes what a log holds, in order. */
export interface LogVisitor {
  /** A whole record that fits its checksums. `data` is a copy; only the first `dataMaxBytes` of it. */
  record(data: Uint8Array, offset: number): void;
  /** Here is neither a whole fragment nor room that was never written, which is at the end of a log alone. */
  damage(offset: number): void;
  /** Asked of data behind damage, whether it may be the beginning of a record or only looks like one. */
  isPlausible(data: Uint8Array): boolean;
}

/** Reads one log, block by block, and goes on behind damage. */
export class LogRecordReader {
  readonly #visitor: LogVisitor;
  readonly #dataMaxBytes: number;
  /** The beginning of the record that the next fragment goes on with. */
  #open: { readonly offset: number; data: Uint8Array } | undefined;
  #offset = 0;
  /** Where the log seemed to end, in front of what is read now. */
  #unwrittenAt: number | undefined;

  /** @param dataMaxBytes how much of each record the visitor wants */
  constructor(visitor: LogVisitor, dataMaxBytes: number = Number.MAX_SAFE_INTEGER) {
    this.#visitor = visitor;
    this.#dataMaxBytes = dataMaxBytes;
  }

  /** The next block; all but the last are of {@link LOG_BLOCK_BYTES}. */
  block(block: Uint8Array): void {
    let position = 0;
    while (position + HEADER_BYTES <= block.length) {
      if (block[position + 6] === 0 && isZero(block, position)) {
        this.#unwrittenAt ??= this.#offset + position;
        break;
      }
      const end = fragmentEnd(block, position);
      if (end === undefined) {
        this.#damaged(position);
        const next = this.#findRecord(block, position + 1);
        if (next === undefined) {
          break;
        }
        position = next;
        continue;
      }
      this.#fragment(block, position, end);
      position = end;
    }
    if (block.length - position < HEADER_BYTES && block.subarray(position).some((byte) => byte !== 0)) {
      this.#damaged(position);
    }
    this.#offset += block.length;
  }

  /** The log ends here. */
  end(): void {
    if (this.#open !== undefined) {
      this.#damaged(0);
    }
  }

  #fragment(block: Uint8Array, position: number, end: number): void {
    if (this.#unwrittenAt !== undefined) {
      // What is written in order has no room in its middle.
      this.#open = undefined;
      this.#visitor.damage(this.#unwrittenAt);
      this.#unwrittenAt = undefined;
    }
    const type = block[position + 6] as number;
    const data = block.subarray(position + headerBytes(type), end);
    const part = parts[type] ?? "other";
    switch (part) {
      case "full":
        this.#expectClosed(position);
        this.#visitor.record(data.slice(0, this.#dataMaxBytes), this.#offset + position);
        break;
      case "first":
        this.#expectClosed(position);
        this.#open = { offset: this.#offset + position, data: data.slice(0, this.#dataMaxBytes) };
        break;
      case "middle":
      case "last":
        this.#continue(data, position, part === "last");
        break;
      case "other":
        break;
    }
  }

  #continue(data: Uint8Array, position: number, isLast: boolean): void {
    const open = this.#open;
    if (open === undefined) {
      // Of a record whose beginning was damaged, or is missing.
      this.#damaged(position);
      return;
    }
    const room = this.#dataMaxBytes - open.data.length;
    if (room > 0) {
      const joined = new Uint8Array(open.data.length + Math.min(room, data.length));
      joined.set(open.data);
      joined.set(data.subarray(0, room), open.data.length);
      open.data = joined;
    }
    if (isLast) {
      this.#open = undefined;
      this.#visitor.record(open.data, open.offset);
    }
  }

  #expectClosed(position: number): void {
    if (this.#open !== undefined) {
      this.#damaged(position);
    }
  }

  #damaged(position: number): void {
    this.#open = undefined;
    this.#visitor.damage(this.#offset + position);
  }

  /** Where, at or after `from`, a plausible record begins, looking at every byte: lengths cannot be trusted here. */
  #findRecord(block: Uint8Array, from: number): number | undefined {
    for (let position = from; position + HEADER_BYTES <= block.length; position++) {
      const type = block[position + 6] as number;
      if (parts[type] !== "full" && parts[type] !== "first") {
        continue;
      }
      const end = fragmentEnd(block, position);
      if (end !== undefined && this.#visitor.isPlausible(block.subarray(position + headerBytes(type), end))) {
        return position;
      }
    }
    return undefined;
  }
}

function headerBytes(type: number): number {
  const isRecyclable = (type >= 5 && type <= 8) || type === 11;
  return isRecyclable ? RECYCLABLE_HEADER_BYTES : HEADER_BYTES;
}

function isZero(block: Uint8Array, from: number): boolean {
  return block.subarray(from).every((byte) => byte === 0);
}

/** Where the fragment at `position` ends; undefined when it is none that fits its checksum. */
function fragmentEnd(block: Uint8Array, position: number): number | undefined {
  const type = block[position + 6] as number;
  const length = (block[position + 4] as number) | ((block[position + 5] as number) << 8);
  const end = position + headerBytes(type) + length;
  if (type === 0 || type > MAX_TYPE || end > block.length) {
    return undefined;
  }
  const stored =
    ((block[position] as number) |
      ((block[position + 1] as number) << 8) |
      ((block[position + 2] as number) << 16) |
      ((block[position + 3] as number) << 24)) >>>
    0;
  return stored === mask(crc32c(block, position + 6, end)) ? end : undefined;
}

/** Checksums are stored rotated and shifted, so that a checksum of checksums is none of its own. */
function mask(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
