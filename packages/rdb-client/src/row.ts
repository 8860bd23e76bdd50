import { KiB, type RegionId, safeInteger } from "@flaredb/rdb-base";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A key with its value, as one answer showed it. Small rows of one answer share memory, 8 KiB at most: who keeps one of
 * them for long keeps that.
 */
export class Row {
  readonly key: Uint8Array;
  /** Empty when only keys were asked for. */
  readonly value: Uint8Array;
  /** Rises with every write of the key, through delete and re-creation too: what a compare-and-swap expects. */
  readonly version: number;
  /** The Region's revision that the answer showed. */
  readonly revision: number;
  /** The Region that answered. */
  readonly regionId: RegionId;

  constructor(row: {
    readonly key: Uint8Array;
    readonly value: Uint8Array;
    readonly version: number;
    readonly revision: number;
    readonly regionId: RegionId;
  }) {
    this.key = row.key;
    this.value = row.value;
    this.version = row.version;
    this.revision = row.revision;
    this.regionId = row.regionId;
  }

  /** The value as text. @throws TypeError when it is not UTF-8 */
  text(): string {
    return decoder.decode(this.value);
  }

  /** The value as JSON, believed to be a `Value`. @throws SyntaxError when it is not JSON */
  json<Value = unknown>(): Value {
    return JSON.parse(this.text()) as Value;
  }

  /** The key as text. @throws TypeError when it is not UTF-8 */
  keyText(): string {
    return decoder.decode(this.key);
  }
}

/** What an answer has of a row, beside its key. */
interface WireValue {
  readonly value: Uint8Array;
  readonly version: bigint;
}

/** A row as the wire has it. Its bytes are copied where they would keep a whole message alive. */
export function rowFromWire(key: Uint8Array, wire: WireValue, revision: bigint, regionId: RegionId): Row {
  return new Row({
    key: own(key),
    value: own(wire.value),
    version: safeInteger(wire.version, "version"),
    revision: safeInteger(revision, "revision"),
    regionId,
  });
}

/**
 * The rows of one answer. Small ones share pieces of memory with their neighbours: memory of its own would cost each
 * value as much as all the rest.
 */
export class AnsweredRows {
  readonly #revision: number;
  readonly #regionId: RegionId;
  readonly #copies = new NeighbourCopies();

  constructor(revision: bigint, regionId: RegionId) {
    this.#revision = safeInteger(revision, "revision");
    this.#regionId = regionId;
  }

  take(wire: WireValue & { readonly key: Uint8Array }): Row {
    const isSmall = wire.value.length <= SHARING_MAX_BYTES;
    return new Row({
      key: isSmall ? this.#copies.of(wire.key) : own(wire.key),
      value: isSmall ? this.#copies.of(wire.value) : own(wire.value),
      version: safeInteger(wire.version, "version"),
      revision: this.#revision,
      regionId: this.#regionId,
    });
  }
}

/** What a row that is kept holds of its neighbours, at most. */
const PIECE_BYTES = 8 * KiB;
/** Larger values have memory of their own. */
const SHARING_MAX_BYTES = PIECE_BYTES / 4;

/** Copies of bytes that stand one behind the other in a message, a piece of it at a time. */
class NeighbourCopies {
  #source: ArrayBufferLike | undefined;
  #start = 0;
  #piece = new ArrayBuffer(0);

  of(bytes: Uint8Array): Uint8Array {
    const { buffer, byteOffset, length } = bytes;
    if (length * 2 >= buffer.byteLength) {
      return bytes;
    }
    const isInPiece =
      buffer === this.#source &&
      byteOffset >= this.#start &&
      byteOffset + length <= this.#start + this.#piece.byteLength;
    if (!isInPiece) {
      this.#source = buffer;
      this.#start = byteOffset;
      this.#piece = new Uint8Array(
        buffer,
        byteOffset,
        Math.min(PIECE_BYTES, buffer.byteLength - byteOffset),
      ).slice().buffer;
    }
    return new Uint8Array(this.#piece, byteOffset - this.#start, length);
  }
}

/** Bytes that are a small part of a message would hold all of it for as long as somebody holds them. */
function own(bytes: Uint8Array): Uint8Array {
  // No `slice`: that of a Buffer copies nothing.
  return bytes.length * 2 < bytes.buffer.byteLength ? new Uint8Array(bytes) : bytes;
}
