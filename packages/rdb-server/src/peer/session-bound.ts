import type { StoreConfig } from "../config.ts";
import type { RequestIdentity } from "./request-identity.ts";
import type { SessionTable } from "./session-table.ts";

/** One client may have no more than this part of `sessions.maxCount` open. */
const CLIENT_SHARE = 4;
/** About what a row holds for a write whose answer is its revision. */
const RECORD_USUAL_BYTES = 32;

/**
 * Bounds what a leader lets be remembered. At a bound it still takes what makes room, else no client could ever say
 * that it is done: a floor that closes something, and a write that was recorded or closed before.
 */
export class SessionBound {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  readonly #clientMaxCount: number;
  /**
   * The highest floor that each client's writes told since a bound was met: a floor makes room once, and what told it
   * may be in flight still. Empty while no bound is met; until then it keeps those of clients that are gone, too.
   */
  readonly #told = new Map<number, number>();

  constructor({ maxCount, maxBytes }: StoreConfig["sessions"]) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
    this.#clientMaxCount = Math.ceil(maxCount / CLIENT_SHARE);
  }

  /**
   * @param inFlightCount writes that were taken and are not applied
   * @returns the limit that keeps the write out; undefined: it may be proposed
   */
  refusal(
    sessions: Pick<SessionTable, "count" | "sizeBytes" | "client">,
    { session, sequence }: RequestIdentity,
    inFlightCount: number,
  ): string | undefined {
    if (inFlightCount === 0) {
      // What told a floor and was refused later, or was cut off, makes no room: it may be told again.
      this.#forgetTold();
    }
    const isFull =
      sessions.count + inFlightCount >= this.#maxCount ||
      sessions.sizeBytes + inFlightCount * RECORD_USUAL_BYTES >= this.#maxBytes;
    if (!isFull && sessions.count < this.#clientMaxCount) {
      // No client has more than there is: it need not be looked up, for each write.
      this.#forgetTold();
      return undefined;
    }
    const clientId = Number(session.clientId);
    const client = sessions.client(clientId);
    const isClientFull = client !== undefined && client.openCount >= this.#clientMaxCount;
    if (!isFull && !isClientFull) {
      this.#forgetTold();
      return undefined;
    }
    if (client !== undefined) {
      if (sequence < client.floor || client.rowsOf(sequence) !== undefined) {
        return undefined;
      }
      const told = Math.max(client.floor, this.#told.get(clientId) ?? 0);
      if (client.hasOpen(told, session.lowestOpenSequence)) {
        this.#told.set(clientId, session.lowestOpenSequence);
        return undefined;
      }
    }
    return isFull ? "too many writes are remembered" : "too many writes of the client are remembered";
  }

  /** For nearly every write there is nothing to forget; an empty map that is cleared makes a new table nonetheless. */
  #forgetTold(): void {
    if (this.#told.size > 0) {
      this.#told.clear();
    }
  }
}
