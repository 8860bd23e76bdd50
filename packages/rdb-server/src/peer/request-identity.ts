import type { ClientSession, KvRequest, WriteRun } from "@flaredb/rdb-proto";
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
  readonly #runs: WriteRun[] = [];
  #last: ClientSession | undefined;
  #lastPlace = 0;

  /** @param logTimeMs the entry's */
  constructor(logTimeMs: number) {
    this.#logTimeMs = logTimeMs;
  }

  /** Of the next write. */
  add(identity: RequestIdentity | undefined): void {
    if (identity === undefined) {
      this.#addToRun(0, 0, 0);
      return;
    }
    const { session, sequence, issuedAtMs } = identity;
    if (session !== this.#last) {
      this.#lastPlace = this.#placeOf(session);
      this.#last = session;
    }
    this.#addToRun(this.#lastPlace, sequence, issuedAtMs - this.#logTimeMs);
  }

  /** Each client once, with the greatest floor that it told; undefined when no write has an identity. */
  entry(): EntryIdentity | undefined {
    return this.#sessions.length === 0 ? undefined : { sessions: this.#sessions, runs: this.#runs };
  }

  #addToRun(session: number, sequence: number, issuedOffsetMs: number): void {
    const run = this.#runs.at(-1);
    if (
      run !== undefined &&
      run.session === session &&
      run.issuedOffsetMs === issuedOffsetMs &&
      sequence === (run.firstSequence === 0 ? 0 : run.firstSequence + run.count)
    ) {
      run.count++;
    } else {
      this.#runs.push({
        $typeName: "rdb.v1.WriteRun",
        session,
        firstSequence: sequence,
        count: 1,
        issuedOffsetMs,
      });
    }
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
