import type { PeerId } from "@flaredb/rdb-base";
import { asV2 } from "../conf-change/conf-change.ts";
import { decodeConfChange } from "../conf-change/codec.ts";
import type { RaftConfig } from "../config.ts";
import type { Entry, HardState, Message, Snapshot } from "../messages.ts";
import { RawNode } from "../raw-node.ts";
import { ScriptError } from "./script-error.ts";
import type { SnapshotHistory } from "./snapshot-history.ts";

/** What a message or a Ready asks to make durable. */
export interface AppendWork {
  readonly hardState: HardState | undefined;
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | undefined;
}

/** One peer of an interaction script: the core, its storage, and the work of its storage threads. */
export class InteractionPeer {
  readonly id: PeerId;
  readonly config: RaftConfig;
  readonly raft: RawNode;
  readonly storage: SnapshotHistory;
  /** MsgStorageAppend that wait for the append thread. */
  readonly appendWork: Message[] = [];
  /** MsgStorageApply that wait for the apply thread. */
  readonly applyWork: Message[] = [];

  constructor(config: RaftConfig, storage: SnapshotHistory) {
    this.id = config.id;
    this.config = config;
    this.storage = storage;
    this.raft = new RawNode(config);
  }

  /**
   * Makes durable: the hard state first, then a snapshot or entries.
   *
   * @throws ScriptError when the snapshot is older than the storage's
   */
  append({ hardState, entries, snapshot }: AppendWork): void {
    if (hardState !== undefined) {
      this.storage.log.setHardState(hardState);
    }
    if (snapshot === undefined) {
      this.storage.log.append(entries);
      return;
    }
    if (entries.length > 0) {
      throw new ScriptError("can't apply snapshot and entries at the same time");
    }
    if (!this.storage.log.applySnapshot(snapshot)) {
      throw new ScriptError("requested index is older than the existing snapshot");
    }
  }

  /** Applies committed entries: changes of the configuration to the core, everything to the history of snapshots. */
  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const change = entry.type === "Normal" ? undefined : decodeConfChange(entry.type, entry.data);
      if (change === undefined) {
        this.storage.apply(entry, entry.data, undefined);
      } else {
        this.storage.apply(entry, asV2(change).context, this.raft.applyConfChange(change));
      }
    }
  }
}
