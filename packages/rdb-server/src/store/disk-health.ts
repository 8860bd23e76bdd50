/** How the disk does: as it should; slow, so that leaders should go elsewhere; stalled, so that it must not look alive. */
export type DiskLevel = "Ok" | "Slow" | "Stalled";

/** A disk that was slow counts as slow for this long after. */
const RECOVERY_MS = 5_000;

/** Judges the disk by how long it has been at one pass of the writer (DESIGN §4, ADR 5). Pure. */
export class DiskHealth {
  /** A pass that takes longer makes the disk slow; twice this, stalled. May change at any time. */
  slowDiskMs: number;
  #slowUntilMs = Number.NEGATIVE_INFINITY;
  #level: DiskLevel = "Ok";

  constructor(slowDiskMs: number) {
    this.slowDiskMs = slowDiskMs;
  }

  get level(): DiskLevel {
    return this.#level;
  }

  /** @returns whether the disk has just become slow, so that leaderships are to be handed away */
  observe(passAgeMs: number, nowMs: number): boolean {
    const before = this.#level;
    if (passAgeMs > this.slowDiskMs) {
      this.#slowUntilMs = nowMs + RECOVERY_MS;
    }
    if (passAgeMs > 2 * this.slowDiskMs) {
      this.#level = "Stalled";
    } else {
      this.#level = nowMs < this.#slowUntilMs ? "Slow" : "Ok";
    }
    return before === "Ok" && this.#level !== "Ok";
  }
}
