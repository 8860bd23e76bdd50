import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  RdbError,
  type RegionId,
  type StoreId,
  assert,
  assertNever,
  clusterVersions,
  safeInteger,
  saidClusterVersion,
  storeId,
} from "@flaredb/rdb-base";
import {
  OperatorSchema,
  PdClusterRowSchema,
  PdClusterVersionRowSchema,
  PdMemberRowSchema,
  PdPlacementRowSchema,
  PdRegionRowSchema,
  PdStoreRowSchema,
  RecoverySchema,
  regionFromProto,
  regionToProto,
} from "@flaredb/rdb-proto";
import { type ChangedRow, DurableState } from "../cluster/durable-state.ts";
import type { StoreInfo } from "../cluster/store-info.ts";
import { operatorFromProto, operatorToProto } from "../operator/operator-codec.ts";
import { configFromProto, configToProto } from "./command-codec.ts";

/** First byte of a row's key: what it holds. Part of the disk format. */
const rowKinds = {
  cluster: 1,
  store: 2,
  region: 3,
  operator: 4,
  placement: 5,
  member: 6,
  clusterVersion: 7,
  recovery: 8,
} as const;

/** One row of the applied state; `value` undefined: it is no more. */
export interface StateRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** What is to be written for a row that changed. */
export function encodeRow(state: DurableState, changed: ChangedRow): StateRow {
  switch (changed.kind) {
    case "Cluster":
      return { key: rowKey(rowKinds.cluster, 0), value: encodeCluster(state) };
    case "Store":
      return { key: rowKey(rowKinds.store, changed.id), value: encodeStore(state, changed.id) };
    case "Region":
      return { key: rowKey(rowKinds.region, changed.id), value: encodeRegion(state, changed.id) };
    case "Operator":
      return { key: rowKey(rowKinds.operator, changed.id), value: encodeOperator(state, changed.id) };
    case "Placement":
      return { key: rowKey(rowKinds.placement, 0), value: encodePlacement(state) };
    case "Recovery":
      return { key: rowKey(rowKinds.recovery, changed.id), value: encodeRecovery(state, changed.id) };
    case "Member":
      return { key: rowKey(rowKinds.member, changed.id), value: encodeMember(state, changed.id) };
    case "ClusterVersion":
      return { key: rowKey(rowKinds.clusterVersion, 0), value: encodeClusterVersion(state) };
    default:
      return assertNever(changed, "row of the state");
  }
}

/**
 * The state that the rows hold.
 *
 * @throws RdbError RDB_DATA_FORMAT for a row that this program does not know, RDB_DATA_CORRUPT for Regions that
 * contradict each other
 */
export function decodeState(
  rows: Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>,
): DurableState {
  const state = new DurableState();
  for (const { key, value } of rows) {
    decodeRow(state, key[0], value);
  }
  state.takeChangedRows();
  return state;
}

function decodeRow(state: DurableState, kind: number | undefined, value: Uint8Array): void {
  switch (kind) {
    case rowKinds.cluster:
      return decodeCluster(state, value);
    case rowKinds.store:
      return decodeStore(state, value);
    case rowKinds.region:
      return decodeRegion(state, value);
    case rowKinds.operator:
      return state.putOperator(operatorFromProto(fromBinary(OperatorSchema, value)));
    case rowKinds.placement:
      return decodePlacement(state, value);
    case rowKinds.recovery:
      return state.putRecovery(fromBinary(RecoverySchema, value));
    case rowKinds.member:
      return decodeMember(state, value);
    case rowKinds.clusterVersion:
      return decodeClusterVersion(state, value);
    default:
      throw new RdbError(
        "RDB_DATA_FORMAT",
        `the data folder holds a row of kind ${kind} that this program does not know: run a newer version`,
      );
  }
}

function rowKey(kind: number, id: number): Uint8Array {
  const key = new Uint8Array(9);
  key[0] = kind;
  new DataView(key.buffer).setBigUint64(1, BigInt(id));
  return key;
}

function encodeCluster(state: DurableState): Uint8Array {
  const { clusterId, nextId, nextStoreId, config, bootstrapped } = state.cluster;
  const row = create(PdClusterRowSchema, {
    clusterId: BigInt(clusterId),
    nextId: BigInt(nextId),
    nextStoreId: BigInt(nextStoreId),
    bootstrapped,
    ...(config === undefined ? {} : { config: configToProto(config) }),
  });
  return toBinary(PdClusterRowSchema, row);
}

function decodeCluster(state: DurableState, value: Uint8Array): void {
  const row = fromBinary(PdClusterRowSchema, value);
  state.updateCluster({
    clusterId: safeInteger(row.clusterId, "cluster id"),
    nextId: safeInteger(row.nextId, "next id"),
    nextStoreId: safeInteger(row.nextStoreId, "next store id"),
    config: row.config === undefined ? undefined : configFromProto(row.config),
    bootstrapped: row.bootstrapped,
  });
}

function encodeStore(state: DurableState, id: StoreId): Uint8Array {
  const store = state.stores.get(id);
  assert(store !== undefined, "a Store is never forgotten");
  const row = create(PdStoreRowSchema, {
    ...store,
    id: BigInt(store.id),
    labels: { ...store.labels },
    adminLabels: { ...store.adminLabels },
    startedMs: BigInt(store.startedMs),
    replacedBy: BigInt(store.replacedBy ?? 0),
  });
  return toBinary(PdStoreRowSchema, row);
}

function decodeStore(state: DurableState, value: Uint8Array): void {
  const row = fromBinary(PdStoreRowSchema, value);
  const store: StoreInfo = {
    id: storeId(row.id),
    registrationToken: row.registrationToken,
    address: row.address,
    httpAddress: row.httpAddress,
    labels: row.labels,
    adminLabels: row.adminLabels,
    isDraining: row.isDraining,
    evictsLeaders: row.evictsLeaders,
    programVersion: row.programVersion,
    clusterVersion: saidClusterVersion(row.clusterVersion),
    bootId: row.bootId,
    startedMs: safeInteger(row.startedMs, "start time"),
    isTombstone: row.isTombstone,
    ...(row.isLost ? { isLost: true } : {}),
    replacedBy: row.replacedBy === 0n ? undefined : storeId(row.replacedBy),
  };
  state.putStore(store);
}

function encodeRegion(state: DurableState, id: RegionId): Uint8Array | undefined {
  const region = state.regions.get(id);
  if (region === undefined) {
    return undefined;
  }
  const row = create(PdRegionRowSchema, {
    region: regionToProto(region),
    isForming: state.forming.has(id),
  });
  return toBinary(PdRegionRowSchema, row);
}

function decodeRegion(state: DurableState, value: Uint8Array): void {
  const row = fromBinary(PdRegionRowSchema, value);
  if (row.region === undefined) {
    throw new RdbError("RDB_DATA_CORRUPT", "a row of a Region in the data folder holds no Region");
  }
  const region = regionFromProto(row.region);
  const result = state.putRegion(region);
  if (!result.accepted || result.removed.length > 0) {
    throw new RdbError(
      "RDB_DATA_CORRUPT",
      `region ${region.id} in the data folder overlaps another one: ${result.accepted ? `region ${result.removed[0]?.id}` : result.reason}`,
    );
  }
  if (row.isForming) {
    state.setForming(region.id, true);
  }
}

function encodeOperator(state: DurableState, id: number): Uint8Array | undefined {
  const operator = state.operators.get(id);
  return operator === undefined ? undefined : toBinary(OperatorSchema, operatorToProto(operator));
}

function encodeRecovery(state: DurableState, id: number): Uint8Array | undefined {
  const recovery = state.recoveries.get(id);
  return recovery === undefined ? undefined : toBinary(RecoverySchema, recovery);
}

function encodePlacement({ placement }: DurableState): Uint8Array {
  const paused = [...placement.pausedSchedulers].map(([name, untilMs]) => [name, BigInt(untilMs)] as const);
  const row = create(PdPlacementRowSchema, {
    settings: { ...placement.settings },
    pausedSchedulers: Object.fromEntries(paused),
  });
  return toBinary(PdPlacementRowSchema, row);
}

function decodePlacement(state: DurableState, value: Uint8Array): void {
  const row = fromBinary(PdPlacementRowSchema, value);
  const paused = Object.entries(row.pausedSchedulers);
  state.updatePlacement({
    settings: row.settings,
    pausedSchedulers: new Map(paused.map(([name, untilMs]) => [name, safeInteger(untilMs, "time")])),
  });
}

function encodeMember(state: DurableState, id: number): Uint8Array {
  const member = state.members.get(id);
  assert(member !== undefined, "a member is never forgotten");
  return toBinary(PdMemberRowSchema, create(PdMemberRowSchema, { ...member, id: BigInt(id) }));
}

function decodeMember(state: DurableState, value: Uint8Array): void {
  const { id, name, address, httpAddress, isRemoved } = fromBinary(PdMemberRowSchema, value);
  state.putMember({ id: safeInteger(id, "member id"), name, address, httpAddress, isRemoved });
}

function encodeClusterVersion({ clusterVersion }: DurableState): Uint8Array {
  return toBinary(PdClusterVersionRowSchema, create(PdClusterVersionRowSchema, { version: clusterVersion }));
}

/** @throws RdbError RDB_DATA_FORMAT when this program does not know the cluster's version */
function decodeClusterVersion(state: DurableState, value: Uint8Array): void {
  const { version } = fromBinary(PdClusterVersionRowSchema, value);
  if (version > clusterVersions.newest) {
    throw new RdbError(
      "RDB_DATA_FORMAT",
      `the cluster in the data folder has version ${version}, this program knows up to ${clusterVersions.newest}: run a newer version`,
      { details: { version } },
    );
  }
  state.clusterVersion = version;
}
