/** What was opened, closed in the opposite order: at the end, or when a start fails half way. */
export class ClosingStack {
  readonly #steps: (() => unknown)[] = [];
  #closing: Promise<void> | undefined;

  /** Remembers how to close what was just opened. */
  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** Idempotent: further calls join the first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const step of this.#steps.toReversed()) {
      await step();
    }
  }
}
