import { type Region, epochsEqual } from "@flaredb/rdb-base";
import type { RawNode } from "@flaredb/rdb-raft";
import type { AdminOutcome, AdminRefusalReason, AdminTarget } from "../../store/admin-command.ts";

/** What an admin command meets. */
export interface AdminTargetOwner {
  readonly node: RawNode;
  region(): Region;
  /** Whether the Region waits, or is about to wait, to be taken by a neighbour. */
  isMerging(): boolean;
}

export type AdminRefusal = Extract<AdminOutcome, { readonly ok: false }>;

/** @param message for people, with the values */
export function adminRefusal(reason: AdminRefusalReason, message: string): AdminRefusal {
  return { ok: false, reason, message };
}

/** Why no command to change the Region is taken now, if so: not led from here, another epoch, or a change under way. */
export function targetRefusal(owner: AdminTargetOwner, target: AdminTarget): AdminRefusal | undefined {
  const { node } = owner;
  const { id, epoch } = owner.region();
  if (!node.isLeader) {
    return adminRefusal("NotLeader", `Region ${id} is not led from here`);
  }
  if (!epochsEqual(epoch, target.epoch)) {
    const [own, meant] = [epoch, target.epoch].map(({ confVer, version }) => `${confVer}.${version}`);
    return adminRefusal("EpochNotMatch", `Region ${id} is at epoch ${own}, not ${meant}`);
  }
  if (node.pendingConfIndex > node.appliedIndex) {
    return adminRefusal("Busy", `entry ${node.pendingConfIndex} of Region ${id} may change its peers`);
  }
  if (owner.isMerging()) {
    return adminRefusal("Busy", `Region ${id} waits to be taken by a neighbour`);
  }
  if (node.leadTransferee !== 0) {
    return adminRefusal("Busy", `the leadership of Region ${id} goes to peer ${node.leadTransferee}`);
  }
  return undefined;
}
