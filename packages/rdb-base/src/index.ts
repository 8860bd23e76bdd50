export { RdbError, hasCode } from "./rdb-error.ts";
export { errorCodes, type ErrorCode } from "./error-codes.ts";
export { clusterVersions, saidClusterVersion } from "./cluster-version.ts";
export { limits } from "./limits.ts";
export { GiB, HOUR_MS, KiB, MINUTE_MS, MiB, SECOND_MS } from "./units.ts";
export {
  EMPTY_KEY,
  FULL_RANGE,
  compareEndKeys,
  compareKeys,
  formatKey,
  formatRange,
  intersectRanges,
  keyAfter,
  keyInRange,
  keysEqual,
  prefixRange,
  rangeContains,
  rangesOutside,
  rangesOverlap,
  type KeyRange,
} from "./key-range.ts";
export {
  index,
  peerId,
  regionId,
  safeInteger,
  storeId,
  term,
  type Index,
  type PeerId,
  type RegionId,
  type StoreId,
  type Term,
} from "./ids.ts";
export { AssertionError, assert, assertNever } from "./assert.ts";
export type { Clock, Timer } from "./clock.ts";
export type { Random } from "./random.ts";
export { SeededRandom } from "./seeded-random.ts";
export { systemClock, systemRandom } from "./system-ports.ts";
export { silentLogger, type LogFields, type Logger } from "./logger.ts";
export { WindowedLog } from "./windowed-log.ts";
export {
  epochIsStale,
  epochsEqual,
  peerById,
  peerOnStore,
  type Peer,
  type PeerRole,
  type Region,
  type RegionEpoch,
} from "./metadata.ts";
export {
  clusterProblemKinds,
  clusterProblems,
  RegionTally,
  tellingFigures,
  type ClusterFigures,
  type ClusterProblem,
} from "./cluster-health.ts";
