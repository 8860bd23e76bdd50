import type { ClientSession, KvRequest, WriteIdentities } from "@flaredb/rdb-proto";
import type { EntryIdentity } from "./commands.ts";

/** Which write of which client a request is. Checked at the edge: safe integers, none of them 0. */
export interface RequestIdentity {
  /** Of the message that the request came in: requests of one message share the object. */
  readonly session: ClientSession;
  readonly sequence: number;
  /** When the client first sent it, as it estimates log time; ms since 1970. */
  readonly issuedAtMs: number;
}

/** Undefined: the request is none that should be applied only once. */
export function requestIdentity(
  session: ClientSession | undefined,
  request: KvRequest,
): RequestIdentity | undefined {
  return session === undefined || request.sequence === 0
    ? undefined
    : { session, sequence: request.sequence, issuedAtMs: Number(request.issuedAtMs) };
}

/** Gathers the identities of the writes of one entry, in the entry's form. */
export class EntryIdentities {
  readonly #logTimeMs: number;
  readonly #sessions: ClientSession[] = [];
  /** Places of sessions by client. */
  readonly #places = new Map<bigint, number>();
  readonly #identities: WriteIdentities = {
    $typeName: "rdb.v1.WriteIdentities",
    sessions: [],
    sequences: [],
    issuedOffsetsMs: [],
  };
  #last: ClientSession | undefined;
  #lastPlace = 0;

  /** @param logTimeMs the entry's */
  constructor(logTimeMs: number) {
    this.#logTimeMs = logTimeMs;
  }

  /** Of the next write. */
  add(identity: RequestIdentity | undefined): void {
    const { sessions, sequences, issuedOffsetsMs } = this.#identities;
    if (identity === undefined) {
      sessions.push(0);
      sequences.push(0);
      issuedOffsetsMs.push(0);
      return;
    }
    if (identity.session !== this.#last) {
      this.#lastPlace = this.#placeOf(identity.session);
      this.#last = identity.session;
    }
    sessions.push(this.#lastPlace);
    sequences.push(identity.sequence);
    issuedOffsetsMs.push(identity.issuedAtMs - this.#logTimeMs);
  }

  /** Each client once, with the greatest floor that it told; undefined when no write has an identity. */
  entry(): EntryIdentity | undefined {
    return this.#sessions.length === 0
      ? undefined
      : { sessions: this.#sessions, identities: this.#identities };
  }

  #placeOf(session: ClientSession): number {
    const place = this.#places.get(session.clientId);
    if (place === undefined) {
      this.#places.set(session.clientId, this.#sessions.length);
      this.#sessions.push(session);
      return this.#sessions.length - 1;
    }
    const known = this.#sessions[place] as ClientSession;
    if (session.lowestOpenSequence > known.lowestOpenSequence) {
      this.#sessions[place] = session;
    }
    return place;
  }
}
