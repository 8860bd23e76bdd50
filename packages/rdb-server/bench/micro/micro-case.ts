/** A small piece of the path of a write or read, measured by itself. */
export interface MicroCase {
  /** What is done, in words. */
  readonly name: string;
  /** Puts, gets or entries that one call is about: figures are given for one of them. */
  readonly operations: number;
  /** Makes what is needed; called once. */
  prepare(): Promise<PreparedCase> | PreparedCase;
}

interface PreparedCase {
  /** What is measured, again and again. */
  run(): unknown;
  /** Frees what was made. */
  dispose?(): Promise<void>;
}

/** Puts of a batch: what 64 clients have under way. */
export const BATCH_COUNT = 64;

/** As the benchmarks have them: keys of 16 bytes, values of 256. */
export function sampleKey(id: number): Uint8Array {
  return new TextEncoder().encode(`bench/${String(id).padStart(10, "0")}`);
}

export function sampleValue(): Uint8Array {
  return new Uint8Array(256).fill(0x2e);
}
