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

/** Bytes may hold so much: the small rows of an answer share memory in such pieces. */
const HELD_MAX_BYTES = 8 * KiB;

/** A row as the wire has it. Its bytes are copied where they would keep a whole message alive. */
export function rowFromWire(
  key: Uint8Array,
  wire: { readonly value: Uint8Array; readonly version: bigint },
  revision: bigint,
  regionId: RegionId,
): Row {
  return new Row({
    key: own(key),
    value: own(wire.value),
    version: safeInteger(wire.version, "version"),
    revision: safeInteger(revision, "revision"),
    regionId,
  });
}

/** Bytes that are a small part of a message would hold all of it for as long as somebody holds them. */
function own(bytes: Uint8Array): Uint8Array {
  const heldBytes = bytes.buffer.byteLength;
  // No `slice`: that of a Buffer copies nothing.
  return heldBytes > HELD_MAX_BYTES && bytes.length * 2 < heldBytes ? new Uint8Array(bytes) : bytes;
}
