import type { ErrorCode } from "./error-codes.ts";

/** The one error class of FlareDB. The message names what failed, with which value, and what to do. */
export class RdbError extends Error {
  override readonly name = "RdbError";
  readonly code: ErrorCode;
  /** Values a program may act on; which ones, the code decides. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly details?: Readonly<Record<string, unknown>>; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  /** An unknown caught value as RdbError: itself if it is one, else RDB_INTERNAL with the value as cause. */
  static from(error: unknown, code: ErrorCode = "RDB_INTERNAL"): RdbError {
    if (error instanceof RdbError) {
      return error;
    }
    return new RdbError(code, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Whether `error` is an RdbError with this code. */
export function hasCode(error: unknown, code: ErrorCode): error is RdbError {
  return error instanceof RdbError && error.code === code;
}
