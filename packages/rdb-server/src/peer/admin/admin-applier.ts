import { RdbError } from "@flaredb/rdb-base";
import type { LogCommand } from "@flaredb/rdb-proto";
import type { WritePart } from "@flaredb/rdb-storage";
import type { AdminEffect, AdminEntry } from "./admin-entry.ts";
import { type ApplyChangePeersOwner, applyChangePeers } from "./apply-change-peers.ts";
import { type MergeOwner, applyCommitMerge, applyPrepareMerge, applyRollbackMerge } from "./apply-merge.ts";
import { type SplitOwner, applySplit } from "./apply-split.ts";

/** What admin entries work on. */
export type AdminApplierOwner = SplitOwner & ApplyChangePeersOwner & MergeOwner;

/**
 * Applies the entries that change a Region itself. Each is one part: what it makes of the Region, of its data and of
 * its Raft state is there as a whole after a crash, or not at all (SPEC S2). A pure function of the log: an entry whose
 * epoch is not the Region's any more changes nothing, on every peer alike.
 */
export class AdminApplier {
  readonly #owner: AdminApplierOwner;

  constructor(owner: AdminApplierOwner) {
    this.#owner = owner;
  }

  /** @throws RdbError RDB_DATA_CORRUPT on a command that this program does not know: the peer must stop */
  apply(entry: AdminEntry, part: WritePart): AdminEffect {
    const { command } = entry.command;
    const nothing: AdminEffect = { state: entry.state };
    const owner = this.#owner;
    if (owner.prepared() !== undefined && command.case !== "rollbackMerge") {
      // Whatever the target takes is as the PrepareMerge left it.
      return nothing;
    }
    switch (command.case) {
      case "split":
        return this.#hasEpoch(entry.command) ? applySplit(owner, entry, command.value, part) : nothing;
      case "changePeers":
        return applyChangePeers(owner, entry, command.value, part);
      case "prepareMerge":
        return this.#hasEpoch(entry.command) ? applyPrepareMerge(owner, entry, command.value, part) : nothing;
      case "commitMerge":
        return this.#hasEpoch(entry.command) ? applyCommitMerge(owner, entry, command.value, part) : nothing;
      case "rollbackMerge":
        return applyRollbackMerge(owner, entry, command.value, part);
      default:
        throw new RdbError(
          "RDB_DATA_CORRUPT",
          `entry ${entry.state.index} of Region ${this.#owner.region().id} holds a command that is not applied here: ${command.case}`,
        );
    }
  }

  /** Both halves: neither the range nor the peers changed since the leader proposed it. */
  #hasEpoch({ epochVersion, epochConfVer }: LogCommand): boolean {
    const { version, confVer } = this.#owner.region().epoch;
    return Number(epochVersion) === version && Number(epochConfVer) === confVer;
  }
}
