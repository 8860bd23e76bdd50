import type { Index, PeerId, Term } from "@flaredb/rdb-base";
import type { Role } from "./messages.ts";
import type { Progress } from "./progress.ts";
import type { TrackerConfig } from "./progress-tracker.ts";
import type { Raft } from "./raft.ts";

/** What a peer knows, for people and for checks. A copy: it does not change afterwards. */
export interface RaftStatus {
  readonly id: PeerId;
  readonly term: Term;
  readonly vote: PeerId | 0;
  readonly commit: Index;
  readonly applied: Index;
  readonly lead: PeerId | 0;
  readonly role: Role;
  readonly leadTransferee: PeerId | 0;
  readonly config: TrackerConfig;
  /** On a leader one for each peer, itself included; else undefined. */
  readonly progress: ReadonlyMap<PeerId, Progress> | undefined;
}

/** The status of now. */
export function statusOf(raft: Raft): RaftStatus {
  const { tracker } = raft;
  return {
    id: raft.id,
    term: raft.term,
    vote: raft.vote,
    commit: raft.log.committed,
    applied: raft.log.applied,
    lead: raft.lead,
    role: raft.role,
    leadTransferee: raft.leadTransferee,
    config: tracker.config,
    progress: raft.isLeader ? copyProgress(tracker.progress, tracker.ids) : undefined,
  };
}

function copyProgress(
  progress: ReadonlyMap<PeerId, Progress>,
  ids: readonly PeerId[],
): ReadonlyMap<PeerId, Progress> {
  const copies = new Map<PeerId, Progress>();
  for (const id of ids) {
    const original = progress.get(id);
    if (original !== undefined) {
      copies.set(id, original.clone());
    }
  }
  return copies;
}
