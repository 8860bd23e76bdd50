import type { Region } from "@flaredb/rdb-base";
import type { ConfState } from "@flaredb/rdb-raft";

/** The configuration of a Region that is in no joint one, as Raft has it. */
export function confStateOf(region: Region): ConfState {
  const idsOf = (role: "Voter" | "Learner") =>
    region.peers.filter((peer) => peer.role === role).map((peer) => peer.id);
  return {
    voters: idsOf("Voter"),
    learners: idsOf("Learner"),
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
  };
}
