import type { Clock } from "@flaredb/rdb-base";
import type { ClientSession } from "@flaredb/rdb-proto";

/** Which write of which client a request is; a retry says the same. */
export interface SentIdentity {
  readonly session: ClientSession;
  readonly sequence: number;
  readonly issuedAtMs: number;
}

/**
 * A client's part of exactly-once writes: gives each write its sequence and time of issue, closes those that have
 * ended, and learns the Regions' log time from what they refuse.
 */
export class ClientWrites {
  readonly #clock: Clock;
  readonly #clientId: number;
  readonly #open = new Set<number>();
  #lastSequence = 0;
  /** Log time, less this clock, as last told. */
  #offsetMs = 0;

  constructor(clock: Clock, clientId: number) {
    this.#clock = clock;
    this.#clientId = clientId;
  }

  begin(): SentIdentity {
    this.#open.add(++this.#lastSequence);
    return this.#identity(this.#lastSequence, this.#nowMs());
  }

  /** The same write as it is sent again: with the floor of now. */
  again({ sequence, issuedAtMs }: SentIdentity): SentIdentity {
    return this.#identity(sequence, issuedAtMs);
  }

  /** The call has ended: the write is never sent again. */
  end({ sequence }: SentIdentity): void {
    this.#open.delete(sequence);
  }

  learnLogTime(logTimeMs: number): void {
    this.#offsetMs = logTimeMs - this.#clock.wallMs();
  }

  #identity(sequence: number, issuedAtMs: number): SentIdentity {
    const lowestOpenSequence = Math.min(...this.#open);
    return {
      session: {
        $typeName: "rdb.v1.ClientSession",
        clientId: BigInt(this.#clientId),
        lowestOpenSequence,
      },
      sequence,
      issuedAtMs,
    };
  }

  #nowMs(): number {
    return Math.floor(this.#clock.wallMs() + this.#offsetMs);
  }
}
