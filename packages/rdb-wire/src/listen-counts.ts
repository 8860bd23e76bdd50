/** A number that somebody else shows. */
interface Count {
  value: number;
}

/** Why a server ended a connection: too many were open, nothing was heard, nothing was wanted, or it broke the protocol. */
export type CutReason = "too_many" | "silent" | "idle" | "failed";

/** What an RPC port counts of its callers. */
export interface ListenCounts {
  /** Open now. */
  readonly connections: Count;
  /** Ended by the server before it stopped. */
  readonly connectionsCut: Readonly<Record<CutReason, Count>>;
  /** How often a connection had as many calls open as it may: what it calls beyond that is refused by HTTP/2, unheard. */
  readonly fullConnections: Count;
}

/** For a port at which nobody looks. */
export function noListenCounts(): ListenCounts {
  const count = (): Count => ({ value: 0 });
  return {
    connections: count(),
    connectionsCut: { too_many: count(), silent: count(), idle: count(), failed: count() },
    fullConnections: count(),
  };
}
