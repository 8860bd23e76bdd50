/** A promise that was broken. */
export interface Violation {
  /** Which one, such as `linearizability` or `log matching`. Stable: failures are grouped by it. */
  readonly name: string;
  /** The least that explains it; may have several lines. */
  readonly message: string;
}

/** For whoever ends a run by throwing. */
export class ViolationError extends Error {
  override readonly name = "ViolationError";
  readonly violation: Violation;

  constructor(violation: Violation) {
    super(`${violation.name}: ${violation.message}`);
    this.violation = violation;
  }
}
