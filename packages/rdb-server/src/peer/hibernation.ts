import { type PeerId, SECOND_MS } from "@flaredb/rdb-base";

/** Where a peer stands between work and sleep. */
export type HibernationState = "Awake" | "Asking" | "Asleep";

/**
 * A Region that is awake for its own sake, after its creation or an election, is not kept so for as long as one that
 * was asked for something: thousands may wake together.
 */
const UNWANTED_MAX_MS = 2 * SECOND_MS;

/**
 * Whether an idle peer ticks (DESIGN §4). A leader asks its live voters, and sleeps when all agree; a voter sleeps
 * when its leader says so. Anything that happens to the Region wakes the peer. Pure: its owner sends and ticks.
 */
export class Hibernation {
  readonly #idleMs: number;
  readonly #unwantedMs: number;
  #state: HibernationState = "Awake";
  #lastActivityMs: number;
  #askedMs = 0;
  #awaited = new Set<PeerId>();

  /** @param idleMs how long without activity before a leader asks; 0: never */
  constructor(idleMs: number, nowMs: number) {
    this.#idleMs = idleMs;
    this.#unwantedMs = Math.min(idleMs, UNWANTED_MAX_MS);
    this.#lastActivityMs = nowMs - idleMs + this.#unwantedMs;
  }

  get isAsleep(): boolean {
    return this.#state === "Asleep";
  }

  /**
   * Something happened to the Region.
   *
   * @param isWanted somebody asked something of it, and may do so again
   * @returns whether the peer slept and is awake now
   */
  noteActivity(nowMs: number, isWanted: boolean): boolean {
    const slept = this.#state === "Asleep";
    const sinceMs = isWanted ? nowMs : nowMs - this.#idleMs + this.#unwantedMs;
    this.#lastActivityMs = Math.max(this.#lastActivityMs, sinceMs);
    this.#state = "Awake";
    this.#awaited.clear();
    return slept;
  }

  /** Whether a leader that has nothing to do should ask now: idle for long enough, and not just asked. */
  shouldAsk(nowMs: number): boolean {
    if (this.#idleMs === 0 || this.#state === "Asleep") {
      return false;
    }
    return this.#state === "Asking"
      ? nowMs - this.#askedMs >= this.#unwantedMs
      : nowMs - this.#lastActivityMs >= this.#idleMs;
  }

  /** The leader asks these voters; with none of them it may sleep at once. */
  ask(voters: Iterable<PeerId>, nowMs: number): void {
    this.#state = "Asking";
    this.#askedMs = nowMs;
    this.#awaited = new Set(voters);
  }

  /** A voter agreed. @returns whether all have, so that the leader may sleep */
  agreed(voter: PeerId): boolean {
    if (this.#state !== "Asking") {
      return false;
    }
    this.#awaited.delete(voter);
    return this.#awaited.size === 0;
  }

  sleep(): void {
    this.#state = "Asleep";
    this.#awaited.clear();
  }
}
