import type { KeyRange, PeerId, Region, RegionEpoch, RegionId, StoreId } from "@flaredb/rdb-base";

/** One change of a Region that its leader carries out and that its reports show (DESIGN §8). */
export type OperatorStep =
  | { readonly kind: "add-learner"; readonly storeId: StoreId; readonly peerId: PeerId }
  | { readonly kind: "promote"; readonly storeId: StoreId; readonly peerId: PeerId }
  | { readonly kind: "remove-peer"; readonly storeId: StoreId; readonly peerId: PeerId }
  /** All of `promote` become voters and all of `demote` learners at once, through a joint configuration. */
  | {
      readonly kind: "enter-joint";
      readonly promote: readonly StepPeer[];
      readonly demote: readonly StepPeer[];
    }
  | {
      readonly kind: "leave-joint";
      readonly promote: readonly StepPeer[];
      readonly demote: readonly StepPeer[];
    }
  | { readonly kind: "transfer-leader"; readonly fromStoreId: StoreId; readonly toStoreId: StoreId }
  | { readonly kind: "split"; readonly keys: readonly Uint8Array[]; readonly partCount: number }
  /** On the source. Its operator is the target's as well: nothing else happens to either meanwhile. */
  | { readonly kind: "merge"; readonly source: Region; readonly target: Region };

export interface StepPeer {
  readonly storeId: StoreId;
  readonly peerId: PeerId;
}

/** Who goes first when a Store's limit is reached, and whose operator may take another's place. */
export type OperatorPriority = "Low" | "Medium" | "High" | "Urgent";

/** An operator that somebody wants; it has no id and no state yet. */
export interface OperatorPlan {
  /** What it is for: `move-peer`, `replace-down-peer`, `split`. Lower case, hyphens. */
  readonly kind: string;
  /** Who wants it: `admin`, or the name of a checker or scheduler. */
  readonly origin: string;
  readonly regionId: RegionId;
  readonly range: KeyRange;
  /** The Region's when it was planned: the first step is meant for it. */
  readonly epoch: RegionEpoch;
  readonly approximateSizeBytes: number;
  readonly priority: OperatorPriority;
  readonly steps: readonly OperatorStep[];
  /** Why, for people, with the figures that spoke for it. */
  readonly motive: string;
  /** A peer is lost or wrong, and the next loss may cost the Region: it takes the place of what can wait. */
  readonly repairs?: boolean;
}

/** How an operator ended other than well, stable words. */
export type CancelReason =
  | "by-admin"
  | "epoch-changed"
  | "refused"
  | "replaced"
  | "region-gone"
  | "store-gone"
  | "store-down"
  | "leader-lost"
  | "pd-restarted"
  | "timed-out";
