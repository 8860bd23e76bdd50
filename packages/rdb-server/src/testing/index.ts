export { SimCluster, type SimClusterOptions } from "./sim/sim-cluster.ts";
export { SimClient, type CallOptions, type Outcome, type SimClientOptions } from "./sim/sim-client.ts";
export { ClientWrites, type SentIdentity } from "./sim/client-writes.ts";
export { SimStore, type SimStoreOptions } from "./sim/sim-store.ts";
export { SimNetwork, type Interception, type LinkState, type NetworkProcess } from "./sim/sim-network.ts";
export { SimClock } from "./sim/sim-clock.ts";
export { ProcessClock, type ProcessClockOptions } from "./sim/process-clock.ts";
export { MemorySnapshotFiles, type MemorySnapshotFilesOptions } from "./sim/memory-snapshot-files.ts";
export { testEngine } from "./test-engine.ts";
export { TermWatch } from "./sim/term-watch.ts";
export { TraceLogger } from "./sim/trace-logger.ts";
export { contentOf, entryOnDisk, expectConverged, isLevel, sessionRowsOf } from "./sim/inspect.ts";
export {
  batchPutCommand,
  bytes,
  casCommand,
  deleteCommand,
  deleteRangeCommand,
  getCommand,
  kvCommand,
  kvRequest,
  putCommand,
  scanCommand,
  text,
  type KvCommand,
} from "./sim/kv-requests.ts";
export {
  FAULTY_CONFIG,
  type FaultRunOptions,
  faultSeeds,
  runAmongFaults,
  skewedClocks,
} from "./sim/fault-run.ts";
export { FaultPlan } from "./sim/fault-plan.ts";
export { RangePlan } from "./sim/range-plan.ts";
export { Workload, type WorkloadOptions } from "./sim/workload.ts";
export { findRegisterViolation, type RegisterCall } from "./sim/register-history.ts";
export {
  addLearner,
  addVoter,
  commandChange,
  expectMembersLevel,
  leadFrom,
  makeChange,
  peerOn,
  promote,
  regionNow,
  remainsOf,
  remove,
  rolesOf,
  startWithPeersOnFirst,
} from "./sim/peer-commands.ts";
export { ConfChanger } from "./sim/conf-changer.ts";
