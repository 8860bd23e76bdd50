import type { Column } from "./column.ts";

/** One mutation. `value` undefined deletes. */
export interface WriteOp {
  readonly column: Column;
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/**
 * Mutations, of any column families, that reach the database together or not at all. Keys and values are kept,
 * not copied: whoever adds them never writes to them again.
 */
export class WritePart {
  readonly ops: WriteOp[] = [];
  /** Whether `onWritten` means durable. Off: the part may be lost with everything after it in a crash. */
  sync = false;
  /** Keys and values, in bytes. */
  sizeBytes = 0;

  put(column: Column, key: Uint8Array, value: Uint8Array): void {
    this.ops.push({ column, key, value });
    this.sizeBytes += key.length + value.length;
  }

  delete(column: Column, key: Uint8Array): void {
    this.ops.push({ column, key, value: undefined });
    this.sizeBytes += key.length;
  }

  get isEmpty(): boolean {
    return this.ops.length === 0;
  }
}
