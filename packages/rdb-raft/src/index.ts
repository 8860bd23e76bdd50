export { RawNode } from "./raw-node.ts";
export type { StepResult } from "./step-result.ts";
export type { SimulatedConfChange } from "./membership.ts";
export type { RaftStatus } from "./status.ts";
export type { RaftConfig, RaftLogger, ReadOnlyOption } from "./config.ts";
export { validateConfig } from "./resolve-config.ts";
export type { ReadState, Ready } from "./ready.ts";
export type { RaftStorage, StorageMiss } from "./storage.ts";
export { MemoryStorage } from "./memory-storage.ts";
export { EMPTY_CONF_STATE, EMPTY_HARD_STATE, EMPTY_SNAPSHOT } from "./empty-state.ts";
export {
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  NO_PEER,
  type ConfChangeSingle,
  type ConfChangeTransition,
  type ConfChangeType,
  type ConfChangeV1,
  type ConfChangeV2,
  type ConfState,
  type Entry,
  type EntryType,
  type HardState,
  type Message,
  type MessageType,
  type Role,
  type Snapshot,
  type SnapshotMetadata,
  type SoftState,
} from "./messages.ts";
export {
  isLocalMessage,
  isResponseMessage,
  isStorageThread,
  newMessage,
  type MessageFields,
} from "./new-message.ts";
export { asV2, enterJoint, leaveJoint, type ConfChange } from "./conf-change/conf-change.ts";
export { decodeConfChange, encodeConfChange } from "./conf-change/codec.ts";
export { Changer, type ChangeResult } from "./conf-change/changer.ts";
export { restoreConfig } from "./conf-change/restore.ts";
export { entriesSizeBytes, entrySizeBytes, payloadsSizeBytes } from "./entry-size.ts";
export { Inflights } from "./inflights.ts";
export { Progress, type ProgressState } from "./progress.ts";
export {
  ProgressTracker,
  type InflightsLimits,
  type TrackerConfig,
  type VoteTally,
} from "./progress-tracker.ts";
export { JointConfig } from "./quorum/joint.ts";
export { MajorityConfig, type VoteResult } from "./quorum/majority.ts";
