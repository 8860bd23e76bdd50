import {
  EMPTY_KEY,
  type KeyRange,
  RdbError,
  keyAfter,
  keysEqual,
  limits,
  prefixRange,
} from "@flaredb/rdb-base";
import type { DeleteRangePart } from "../operations/delete-range.ts";
import type { Bytes } from "../options.ts";
import { Row } from "../row.ts";
import { type RangeOptions, invalid, keyBytes, namedRange, scanRange } from "../validate.ts";

/** Where the details of errors hold keys. */
const keyDetails: ReadonlySet<string> = new Set([
  "key",
  "keys",
  "applied",
  "notApplied",
  "unknown",
  "remainingStart",
  "remainingEnd",
]);

/**
 * Keys as they are inside a prefix, and as the cluster has them. What begins with the prefix and is longer lies
 * inside; the row whose key is the prefix itself does not, because inside it would have no key at all.
 */
export class PrefixKeys {
  readonly prefix: Uint8Array;
  /** All keys inside. An empty end where nothing follows the prefix: it is all 0xff. */
  readonly #range: KeyRange;

  /** @throws RdbError RDB_INVALID_ARGUMENT when the prefix is empty, or leaves no room for a key */
  constructor(prefix: Bytes) {
    // A copy: who changes the bytes that it was made from would move all keys.
    this.prefix = new Uint8Array(keyBytes("prefix", prefix));
    if (this.prefix.length >= limits.keyMaxBytes) {
      const message = `prefix length ${this.prefix.length} must be < keyMaxBytes ${limits.keyMaxBytes}, to leave room for a key`;
      throw invalid("prefix", message, prefix, limits.keyMaxBytes - 1);
    }
    this.#range = { startKey: keyAfter(this.prefix), endKey: prefixRange(this.prefix).endKey };
  }

  /** @param field names the key in errors */
  outer(field: string, key: Bytes): Uint8Array {
    const inner = keyBytes(field, key);
    return this.#join(field, inner, limits.keyMaxBytes);
  }

  /** The prefix of a namespace inside this one. */
  nested(prefix: Bytes): Uint8Array {
    return this.outer("prefix", prefix);
  }

  /** For reads: a range that may be everything inside. */
  scanRange(range: RangeOptions): Bounds {
    return this.#outerRange(scanRange(range));
  }

  /** For deletes: a range of which every part was named. */
  namedRange(range: RangeOptions): Bounds {
    return this.#outerRange(namedRange(range));
  }

  row(row: Row): Row {
    return new Row({
      key: this.#inner(row.key),
      value: row.value,
      version: row.version,
      revision: row.revision,
      regionId: row.regionId,
    });
  }

  /** @param isFromStart whether the range that it is the first part of had no start */
  part(part: DeleteRangePart, isFromStart: boolean): DeleteRangePart {
    return {
      ...part,
      startKey: isFromStart ? EMPTY_KEY : this.#inner(part.startKey),
      endKey: this.#inner(part.endKey),
    };
  }

  /** The same error with the keys of its details as they are inside. Its message names them as the cluster has them. */
  error(error: unknown): unknown {
    if (!(error instanceof RdbError)) {
      return error;
    }
    const details = Object.fromEntries(
      Object.entries(error.details).map(([name, value]) => [
        name,
        keyDetails.has(name) ? this.#innerKeys(value) : value,
      ]),
    );
    return new RdbError(error.code, error.message, { details, cause: error });
  }

  #outerRange({ startKey, endKey }: KeyRange): Bounds {
    const most = limits.keyMaxBytes + 1;
    return {
      start: startKey.length === 0 ? this.#range.startKey : this.#join("start", startKey, most),
      end: endKey.length === 0 ? this.#range.endKey : this.#join("end", endKey, most),
    };
  }

  #join(field: string, inner: Uint8Array, maxBytes: number): Uint8Array {
    const { prefix } = this;
    if (prefix.length + inner.length > maxBytes) {
      const room = maxBytes - prefix.length;
      const message = `${field} length ${inner.length} must be <= ${room}: keyMaxBytes ${limits.keyMaxBytes} less the prefix`;
      throw invalid(field, message, inner, room);
    }
    const key = new Uint8Array(prefix.length + inner.length);
    key.set(prefix);
    key.set(inner, prefix.length);
    return key;
  }

  #innerKeys(value: unknown): unknown {
    if (Array.isArray(value)) {
      return value.map((key: unknown) => this.#innerKeys(key));
    }
    return value instanceof Uint8Array ? this.#inner(value) : value;
  }

  /** Of what an operation inside speaks of, only the end of a range can lie outside: there it has no end. */
  #inner(key: Uint8Array): Uint8Array {
    const { length } = this.prefix;
    return keysEqual(key.subarray(0, length), this.prefix) ? key.subarray(length) : EMPTY_KEY;
  }
}

/** A range with both ends named. */
interface Bounds {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
}
