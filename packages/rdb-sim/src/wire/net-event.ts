/** What may be seen of the network: every message, and every change of a connection. */
export interface NetEvent {
  readonly kind: NetEventKind;
  readonly atMs: number;
  /** The hosts; of a message, who sent it and whom it is for. */
  readonly from: string;
  readonly to: string;
  /** Which connection; counts up from 1 in the order of connecting. 0: none. */
  readonly connectionId: number;
  /** Which stream of it; 0: none. */
  readonly streamId: number;
  /** The method, such as `/rdb.v1.RaftService/Batch`; of events of a connection, the address called. */
  readonly path: string;
  /** Of a message: its size with gRPC's prefix. */
  readonly sizeBytes: number;
}

/**
 * - `send`, `deliver`: a message left and arrived.
 * - `lose`, `duplicate`, `reorder`, `repeat`: what a fault did to one.
 * - `drop`, `hold`, `release`: what an interceptor did to one.
 * - `connect`, `accept`, `refuse`: a connection begins, a process took it, nobody listened.
 * - `finish`: one side closed the connection and the other has noticed. `reset`: it was cut and a side has noticed.
 */
export type NetEventKind =
  | "send"
  | "deliver"
  | "lose"
  | "duplicate"
  | "reorder"
  | "repeat"
  | "drop"
  | "hold"
  | "release"
  | "connect"
  | "accept"
  | "refuse"
  | "finish"
  | "reset";

/** A message that is about to be sent. */
export interface NetMessage {
  readonly from: string;
  readonly to: string;
  readonly path: string;
  /** False: from the caller to the server. */
  readonly isAnswer: boolean;
  readonly connectionId: number;
  readonly streamId: number;
  /** Its protobuf bytes, to be decoded by whoever wants to know; not to be changed. */
  readonly message: Uint8Array;
}

/**
 * What happens to a message: nothing; it is lost (of a call that is no hot stream, everything after it is lost too);
 * or it is held until it is released, while later ones go on.
 */
export type Verdict = "deliver" | "drop" | "hold";

/** A message that was held back; see `SimNet.held`. */
export interface HeldMessage extends NetMessage {
  /** Sends it on now. It is lost when its connection is gone. Further calls do nothing. */
  release(): void;
}
