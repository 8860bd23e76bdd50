import type { EncodedBatch } from "./batch-codec.ts";
import type { Column } from "./column.ts";
import type { WriterSlot } from "./writer-slot.ts";

/**
 * What the loop asks of the writer thread by message, where it does not fit into their slot: one thing at a time,
 * answered by one {@link WriterAnswer}.
 */
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

/** How a request ended. A number alone, which is the cheapest message: what was in the slot is written, in so many ms. */
export type WriterAnswer = number | WriterReport;

interface WriterReport {
  /** Why it failed; undefined when it did not. */
  readonly failure: string | undefined;
  /** The buffer of a batch that came by message, given back. */
  readonly buffer: Uint8Array<ArrayBuffer> | undefined;
  /** How long the write took, its sync included. */
  readonly writeMs?: number | undefined;
}

/** What each thread that shares the database is started with. */
export interface SharedDatabase {
  readonly handle: bigint;
}

/** What the writer thread is started with. */
export interface WriterStart extends SharedDatabase {
  readonly slot: WriterSlot;
  /** The database's folder. */
  readonly databasePath: string;
}
