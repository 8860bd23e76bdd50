import type { KeyRange, Region, RegionId, StoreId } from "@flaredb/rdb-base";
import type { Recovery, RecoveryResult } from "@flaredb/rdb-proto";
import type { MemberRow } from "../cluster/durable-state.ts";
import type { StoreInfo } from "../cluster/store-info.ts";
import type { OperatorRecord } from "../operator/operator-record.ts";

/** How the cluster is laid out when it is bootstrapped. */
export interface ClusterConfig {
  /** How many Stores must be up before the initial Regions are placed. */
  readonly bootstrapStoreCount: number;
  /** Peers of each initial Region; fewer where there are fewer Stores. */
  readonly replicaCount: number;
  /** Invariant: they tile the key space, in order. */
  readonly initialRanges: readonly KeyRange[];
}

/** A Store's registration. */
export interface Registration {
  /** Undefined: it is new and asks for an id. */
  readonly storeId: StoreId | undefined;
  readonly registrationToken: string;
  readonly address: string;
  readonly httpAddress: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly programVersion: string;
  /** The newest that its program knows. */
  readonly clusterVersion: number;
  readonly bootId: bigint;
  /** The proposer's wall clock, milliseconds since 1970. */
  readonly startedMs: number;
}

/**
 * What changes PD's durable state; every change is an entry of PD's log. What only the proposer can know, such as
 * who is silent, is in the command, so that applying it gives the same on every member.
 */
export type PdCommand =
  | { readonly kind: "InitializeCluster"; readonly clusterId: number }
  | { readonly kind: "ConfigureCluster"; readonly config: ClusterConfig }
  | { readonly kind: "LeaseIds"; readonly count: number }
  | {
      readonly kind: "RegisterStore";
      readonly registration: Registration;
      /** Stores that the proposer had not heard of lately: their addresses may be taken. */
      readonly silentStoreIds: readonly StoreId[];
    }
  | { readonly kind: "PlaceInitialRegions"; readonly storeIds: readonly StoreId[] }
  | { readonly kind: "UpdateRoutes"; readonly regions: readonly Region[] }
  /** Operators that began or ended, as they are now. */
  | { readonly kind: "RecordOperators"; readonly operators: readonly OperatorRecord[] }
  | ({ readonly kind: "SetStore"; readonly storeId: StoreId } & StoreWish)
  /** A drained Store without peers is gone for good. */
  | { readonly kind: "BuryStore"; readonly storeId: StoreId }
  /** Settings of placement by name, each as JSON; "" goes back to what PD was started with. */
  | { readonly kind: "SetPlacement"; readonly settings: Readonly<Record<string, string>> }
  | {
      readonly kind: "PauseScheduler";
      readonly name: string;
      readonly isPaused: boolean;
      /** Wall clock, milliseconds since 1970; 0: until it is resumed. */
      readonly untilMs: number;
    }
  /** How a member of PD is reached. That of a new one goes with the change of the group. */
  | { readonly kind: "PutMember"; readonly member: Omit<MemberRow, "isRemoved"> }
  /** Stores are given up, and what is to be saved without them is on record. */
  | { readonly kind: "BeginRecovery"; readonly recovery: Recovery }
  | {
      readonly kind: "RecordRecovery";
      readonly recoveryId: number;
      readonly results: readonly RecoveryResult[];
      /** What is still to be done never is. */
      readonly isCancelled: boolean;
      /** The proposer's wall clock, milliseconds since 1970. */
      readonly nowMs: number;
    }
  /** Goes with the change of the group that takes the member out. */
  | { readonly kind: "RemoveMember"; readonly memberId: number }
  /** Every member of PD knows the version, and so do these processes of Stores. */
  | {
      readonly kind: "SetClusterVersion";
      readonly version: number;
      readonly stores: readonly { readonly storeId: StoreId; readonly bootId: bigint }[];
    };

/** What people want of a Store; what is undefined stays as it is. */
export interface StoreWish {
  readonly isDraining?: boolean | undefined;
  readonly evictsLeaders?: boolean | undefined;
  /** Set, or with an empty value taken away; others stay. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What the proposer of each command learns once it is applied. */
export interface CommandResults {
  /** The id that the cluster has: another one when it had one already. */
  InitializeCluster: { readonly clusterId: number };
  ConfigureCluster: { readonly config: ClusterConfig };
  LeaseIds: { readonly firstId: number };
  RegisterStore: { readonly store: StoreInfo; readonly replaced: StoreInfo | undefined };
  PlaceInitialRegions: { readonly regions: readonly Region[] };
  /** The Regions that were news, or that are whole now: see `DurableState.forming`. */
  UpdateRoutes: { readonly accepted: readonly RegionId[] };
  RecordOperators: Record<string, never>;
  SetStore: { readonly store: StoreInfo };
  BuryStore: { readonly store: StoreInfo };
  SetPlacement: Record<string, never>;
  PauseScheduler: Record<string, never>;
  PutMember: { readonly member: MemberRow };
  RemoveMember: Record<string, never>;
  BeginRecovery: Record<string, never>;
  RecordRecovery: Record<string, never>;
  /** As it is now. */
  SetClusterVersion: { readonly version: number };
}

export type CommandKind = PdCommand["kind"];
export type CommandOf<Kind extends CommandKind> = Extract<PdCommand, { readonly kind: Kind }>;
