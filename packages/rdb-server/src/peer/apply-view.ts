import type { Engine, WritePart } from "@flaredb/rdb-storage";
import { decodeValue, encodeValue } from "@flaredb/rdb-storage";

/** A key's value and version as the state machine sees it. */
export interface VersionedValue {
  readonly value: Uint8Array;
  readonly version: number;
}

/**
 * What one entry's commands read and write: the engine, under what the entry itself has written so far. Its writes
 * go to a part that is submitted later, so the engine does not show them yet.
 */
export class ApplyView {
  readonly #engine: Engine;
  readonly #part: WritePart;
  /** Rows this entry wrote, kept only when some command of it reads. */
  readonly #written: Map<string, VersionedValue | undefined> | undefined;
  /** Bytes added by puts, an upper bound of how much the Region grew. */
  addedBytes = 0;

  /** @param reads whether any command of the entry reads */
  constructor(engine: Engine, part: WritePart, reads: boolean) {
    this.#engine = engine;
    this.#part = part;
    this.#written = reads ? new Map() : undefined;
  }

  get(key: Uint8Array): VersionedValue | undefined {
    const name = keyName(key);
    if (this.#written?.has(name) === true) {
      return this.#written.get(name);
    }
    const stored = this.#engine.get("data", key);
    return stored === undefined ? undefined : decodeValue(stored);
  }

  put(key: Uint8Array, value: Uint8Array, version: number): void {
    this.#part.put("data", key, encodeValue(version, value));
    this.#written?.set(keyName(key), { value, version });
    this.addedBytes += key.length + value.length;
  }

  delete(key: Uint8Array): void {
    this.#part.delete("data", key);
    this.#written?.set(keyName(key), undefined);
  }
}

function keyName(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
}
