import type { EncodedBatch } from "./batch-codec.ts";
import type { Column } from "./column.ts";

/** What the loop asks of the writer thread: one thing at a time, answered by one {@link WriterAnswer}. */
export type WriterRequest =
  | { readonly kind: "write"; readonly batch: EncodedBatch; readonly sync: boolean }
  /** `start` may be empty; `end` never is. */
  | {
      readonly kind: "deleteRange";
      readonly column: Column;
      readonly start: Uint8Array;
      readonly end: Uint8Array;
    }
  /** Let go of the database and end. */
  | { readonly kind: "stop" };

export interface WriterAnswer {
  /** Why it failed; undefined when it did not. */
  readonly failure: string | undefined;
  /** The batch's buffer, given back. */
  readonly buffer: Uint8Array<ArrayBuffer> | undefined;
  /** How long the write took, its sync included. */
  readonly writeMs?: number | undefined;
}

/** What each thread that shares the database is started with. */
export interface SharedDatabase {
  readonly handle: bigint;
}
