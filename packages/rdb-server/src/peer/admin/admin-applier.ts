import { RdbError, regionId } from "@flaredb/rdb-base";
import type { CommitMergeCommand, LogCommand } from "@flaredb/rdb-proto";
import { type ApplyState, type WritePart, hasDamageMark, putDamageMark } from "@flaredb/rdb-storage";
import type { AdminEffect, AdminEntry } from "./admin-entry.ts";
import { type ApplyChangePeersOwner, applyChangePeers } from "./apply-change-peers.ts";
import {
  type MergeOwner,
  applyCommitMerge,
  applyPrepareMerge,
  applyRefuseMerge,
  applyRollbackMerge,
} from "./apply-merge.ts";
import { type SplitOwner, applySplit } from "./apply-split.ts";

/** What the entries of replica checks set off, once they are submitted. */
interface CheckOwner {
  computeHash(state: ApplyState): void;
  verifyHash(index: number, hash: Uint8Array): void;
}

/** What admin entries work on. */
export type AdminApplierOwner = SplitOwner & ApplyChangePeersOwner & MergeOwner & CheckOwner;

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
        return this.#hasEpoch(entry.command) ? this.#commitMerge(entry, command.value, part) : nothing;
      case "rollbackMerge":
        return applyRollbackMerge(owner, entry, command.value, part);
      case "refuseMerge":
        return this.#hasEpoch(entry.command) ? applyRefuseMerge(owner, entry, command.value, part) : nothing;
      case "computeHash":
        return { ...nothing, submitted: () => owner.computeHash(entry.state) };
      case "verifyHash":
        return {
          ...nothing,
          submitted: () => owner.verifyHash(Number(command.value.index), command.value.hash),
        };
      default:
        throw new RdbError(
          "RDB_DATA_CORRUPT",
          `entry ${entry.state.index} of Region ${this.#owner.region().id} holds a command that is not applied here: ${command.case}`,
        );
    }
  }

  /** Rows of the source that were found to be wrong are the target's from then on. */
  #commitMerge(entry: AdminEntry, command: CommitMergeCommand, part: WritePart): AdminEffect {
    const owner = this.#owner;
    const isSourceDamaged = hasDamageMark(owner.engine, regionId(command.source?.id ?? 0n));
    const effect = applyCommitMerge(owner, entry, command, part);
    if (isSourceDamaged && effect.submitted !== undefined) {
      putDamageMark(part, owner.region().id);
    }
    return effect;
  }

  /** Both halves: neither the range nor the peers changed since the leader proposed it. */
  #hasEpoch({ epochVersion, epochConfVer }: LogCommand): boolean {
    const { version, confVer } = this.#owner.region().epoch;
    return Number(epochVersion) === version && Number(epochConfVer) === confVer;
  }
}
