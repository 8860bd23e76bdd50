/** Why a Store does not carry out a command (proto `CommandRefusalReason`). */
export type RefusalReason =
  | "NotLeader"
  | "EpochNotMatch"
  | "Busy"
  | "QuorumAtRisk"
  | "IsLeader"
  | "PeerBehind"
  | "Invalid";

/** A Store's answer to a command that it does not carry out. */
export interface Refusal {
  readonly commandId: number;
  readonly reason: RefusalReason;
  /** For people: what stood against it, with the values. */
  readonly message: string;
}

/**
 * What a refusal does to the operator. Those of the moment (busy, another leader or epoch, a peer that is behind, one that
 * has just begun to lead and has to hand over first) are waited out: the command is said again until the step's time is
 * up, as the Region is then. A Store says that a quorum is at risk only when its leader has had time to hear of all.
 */
export function refusalEffect(reason: RefusalReason): "cancel" | "repeat" {
  return reason === "QuorumAtRisk" || reason === "Invalid" ? "cancel" : "repeat";
}
