/**
 * Checks an invariant. Always on: a broken invariant is a programmer's error, and going on would spread it.
 *
 * @param invariant what holds, in words
 */
export function assert(condition: boolean, invariant: string): asserts condition {
  if (!condition) {
    throw new AssertionError(invariant);
  }
}

/** Closes an exhaustive `switch`: compiles only when every case was handled. */
export function assertNever(value: never, what: string): never {
  throw new AssertionError(`unexpected ${what}: ${JSON.stringify(value)}`);
}

/** Thrown by {@link assert}. Never caught to be handled: the process ends. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";

  constructor(invariant: string) {
    super(`assertion failed: ${invariant}`);
  }
}
