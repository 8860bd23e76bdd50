/**
 * What became of a message or a proposal. All but "ok" leave the peer as it was.
 *
 * - "ok": taken. A proposal may still be lost; it has happened when its entry is committed.
 * - "proposal-dropped": there is no leader, leadership is being transferred, the limit of uncommitted bytes is
 *   reached, the leader was removed, or a follower does not forward. Propose again later.
 * - "local-message": a message that only the peer itself may send came from elsewhere.
 * - "peer-not-found": a response came from a peer that is not in the configuration.
 * - "not-leader": another peer forwarded what only a leader answers. It asks again.
 * - "implausible": no peer that keeps to the protocol sends it.
 * - "forget-leader-ignored": reads rely on the leader's lease, so a follower must not forget the leader.
 */
export type StepResult =
  | "ok"
  | "proposal-dropped"
  | "local-message"
  | "peer-not-found"
  | "not-leader"
  | "implausible"
  | "forget-leader-ignored";
