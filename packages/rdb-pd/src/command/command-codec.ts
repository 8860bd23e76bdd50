import { type MessageInitShape, create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  RdbError,
  assertNever,
  clusterVersions,
  safeInteger,
  saidClusterVersion,
  storeId,
} from "@flaredb/rdb-base";
import {
  type ClusterConfig as WireConfig,
  ClusterConfigSchema,
  InitialRangeSchema,
  PdCommandSchema,
  RecoverySchema,
  type PdCommand as WireCommand,
  type PdCommandCase,
  type RegisterStoreCommand,
  RegisterStoreCommandSchema,
  type SetStoreCommand,
  SetStoreCommandSchema,
  type SetClusterVersionCommand,
  SetClusterVersionCommandSchema,
  regionFromProto,
  regionToProto,
} from "@flaredb/rdb-proto";
import { operatorFromProto, operatorToProto } from "../operator/operator-codec.ts";
import type { ClusterConfig, CommandOf, PdCommand } from "./command.ts";

/** Whose command it is: drawn by each process at its start, then counted. */
export interface ProposalId {
  readonly proposer: number;
  readonly sequence: number;
}

type WireOneof = WireCommand["command"];

export function encodeCommand(id: ProposalId, command: PdCommand): Uint8Array {
  return toBinary(
    PdCommandSchema,
    create(PdCommandSchema, {
      proposer: BigInt(id.proposer),
      sequence: BigInt(id.sequence),
      command: commandToProto(command),
    }),
  );
}

/** @throws RdbError RDB_DATA_FORMAT when the command is one that this program does not know */
export function decodeCommand(data: Uint8Array): { readonly id: ProposalId; readonly command: PdCommand } {
  const message = fromBinary(PdCommandSchema, data);
  return {
    id: {
      proposer: safeInteger(message.proposer, "proposer"),
      sequence: safeInteger(message.sequence, "sequence"),
    },
    command: commandFromProto(message.command),
  };
}

/** The name of the command in proto, by which the version goes that it came with. */
export function commandCase(command: PdCommand): PdCommandCase {
  return command.kind.replace(/^./, (first) => first.toLowerCase()) as Uncapitalize<typeof command.kind>;
}

function commandToProto(
  command: PdCommand,
): NonNullable<MessageInitShape<typeof PdCommandSchema>["command"]> {
  switch (command.kind) {
    case "InitializeCluster":
      return { case: "initializeCluster", value: { clusterId: BigInt(command.clusterId) } };
    case "ConfigureCluster":
      return { case: "configureCluster", value: { config: configToProto(command.config) } };
    case "LeaseIds":
      return { case: "leaseIds", value: { count: command.count } };
    case "RegisterStore":
      return { case: "registerStore", value: registrationToProto(command) };
    case "PlaceInitialRegions":
      return { case: "placeInitialRegions", value: { storeIds: command.storeIds.map(BigInt) } };
    case "UpdateRoutes":
      return { case: "updateRoutes", value: { regions: command.regions.map(regionToProto) } };
    case "RecordOperators":
      return { case: "recordOperators", value: { operators: command.operators.map(operatorToProto) } };
    case "SetStore":
      return { case: "setStore", value: setStoreToProto(command) };
    case "BuryStore":
      return { case: "buryStore", value: { storeId: BigInt(command.storeId) } };
    case "SetPlacement":
      return { case: "setPlacement", value: { settings: { ...command.settings } } };
    case "PauseScheduler":
      return {
        case: "pauseScheduler",
        value: { name: command.name, isPaused: command.isPaused, untilMs: BigInt(command.untilMs) },
      };
    case "PutMember":
      return { case: "putMember", value: { ...command.member, id: BigInt(command.member.id) } };
    case "RemoveMember":
      return { case: "removeMember", value: { id: BigInt(command.memberId) } };
    case "BeginRecovery":
      return { case: "beginRecovery", value: { recovery: command.recovery } };
    case "RecordRecovery":
      return {
        case: "recordRecovery",
        value: {
          ...{ recoveryId: BigInt(command.recoveryId), results: [...command.results] },
          ...{ isCancelled: command.isCancelled, nowMs: BigInt(command.nowMs) },
        },
      };
    case "SetClusterVersion":
      return { case: "setClusterVersion", value: versionToProto(command) };
    default:
      return assertNever(command, "command of the placement driver");
  }
}

function commandFromProto(command: WireOneof): PdCommand {
  switch (command.case) {
    case "initializeCluster":
      return {
        kind: "InitializeCluster",
        clusterId: safeInteger(command.value.clusterId, "cluster id"),
      };
    case "configureCluster":
      return { kind: "ConfigureCluster", config: configFromProto(command.value.config) };
    case "leaseIds":
      return { kind: "LeaseIds", count: command.value.count };
    case "registerStore":
      return registrationFromProto(command.value);
    case "placeInitialRegions":
      return { kind: "PlaceInitialRegions", storeIds: command.value.storeIds.map(storeId) };
    case "updateRoutes":
      return { kind: "UpdateRoutes", regions: command.value.regions.map(regionFromProto) };
    case "recordOperators":
      return { kind: "RecordOperators", operators: command.value.operators.map(operatorFromProto) };
    case "setStore":
      return setStoreFromProto(command.value);
    case "buryStore":
      return { kind: "BuryStore", storeId: storeId(command.value.storeId) };
    case "setPlacement":
      return { kind: "SetPlacement", settings: command.value.settings };
    case "pauseScheduler":
      return {
        kind: "PauseScheduler",
        name: command.value.name,
        isPaused: command.value.isPaused,
        untilMs: safeInteger(command.value.untilMs, "time"),
      };
    case "putMember": {
      const { id, name, address, httpAddress } = command.value;
      return {
        kind: "PutMember",
        member: { id: safeInteger(id, "member id"), name, address, httpAddress },
      };
    }
    case "beginRecovery":
      return { kind: "BeginRecovery", recovery: command.value.recovery ?? create(RecoverySchema) };
    case "recordRecovery": {
      const { recoveryId, results, isCancelled, nowMs } = command.value;
      const ids = { recoveryId: safeInteger(recoveryId, "recovery id"), nowMs: safeInteger(nowMs, "time") };
      return { kind: "RecordRecovery", ...ids, results, isCancelled };
    }
    case "removeMember":
      return { kind: "RemoveMember", memberId: safeInteger(command.value.id, "member id") };
    case "setClusterVersion":
      return versionFromProto(command.value);
    case undefined:
      throw new RdbError(
        "RDB_DATA_FORMAT",
        "the log holds a command that this program does not know: run the version that wrote it, or a newer one",
      );
    default:
      return assertNever(command, "command of the placement driver");
  }
}

export function configToProto(config: ClusterConfig): WireConfig {
  return create(ClusterConfigSchema, {
    bootstrapStoreCount: config.bootstrapStoreCount,
    replicaCount: config.replicaCount,
    initialRanges: config.initialRanges.map((range) => create(InitialRangeSchema, range)),
  });
}

export function configFromProto(config: WireConfig | undefined): ClusterConfig {
  return {
    bootstrapStoreCount: config?.bootstrapStoreCount ?? 0,
    replicaCount: config?.replicaCount ?? 0,
    initialRanges: (config?.initialRanges ?? []).map(({ startKey, endKey }) => ({ startKey, endKey })),
  };
}

function registrationToProto(command: CommandOf<"RegisterStore">): RegisterStoreCommand {
  const { registration } = command;
  return create(RegisterStoreCommandSchema, {
    ...registration,
    storeId: BigInt(registration.storeId ?? 0),
    labels: { ...registration.labels },
    startedMs: BigInt(registration.startedMs),
    silentStoreIds: command.silentStoreIds.map(BigInt),
  });
}

function registrationFromProto(message: RegisterStoreCommand): CommandOf<"RegisterStore"> {
  return {
    kind: "RegisterStore",
    registration: {
      storeId: message.storeId === 0n ? undefined : storeId(message.storeId),
      registrationToken: message.registrationToken,
      address: message.address,
      httpAddress: message.httpAddress,
      labels: message.labels,
      programVersion: message.programVersion,
      clusterVersion: saidClusterVersion(message.clusterVersion),
      bootId: message.bootId,
      startedMs: safeInteger(message.startedMs, "start time"),
    },
    silentStoreIds: message.silentStoreIds.map(storeId),
  };
}

function setStoreToProto({
  storeId: id,
  isDraining,
  evictsLeaders,
  labels,
}: CommandOf<"SetStore">): SetStoreCommand {
  return create(SetStoreCommandSchema, {
    storeId: BigInt(id),
    labels: { ...labels },
    ...(isDraining === undefined ? {} : { isDraining }),
    ...(evictsLeaders === undefined ? {} : { evictsLeaders }),
  });
}

function setStoreFromProto(message: SetStoreCommand): CommandOf<"SetStore"> {
  return {
    kind: "SetStore",
    storeId: storeId(message.storeId),
    isDraining: message.isDraining,
    evictsLeaders: message.evictsLeaders,
    labels: message.labels,
  };
}

function versionToProto({ version, stores }: CommandOf<"SetClusterVersion">): SetClusterVersionCommand {
  return create(SetClusterVersionCommandSchema, {
    version,
    stores: stores.map(({ storeId: id, bootId }) => ({ storeId: BigInt(id), bootId })),
  });
}

/** @throws RdbError RDB_DATA_FORMAT for a version that this program does not know: the others go on to use it */
function versionFromProto({ version, stores }: SetClusterVersionCommand): CommandOf<"SetClusterVersion"> {
  if (version > clusterVersions.newest) {
    throw new RdbError(
      "RDB_DATA_FORMAT",
      `the log raises the cluster version to ${version}, this program knows up to ${clusterVersions.newest}: run a newer version`,
      { details: { version } },
    );
  }
  return {
    kind: "SetClusterVersion",
    version,
    stores: stores.map(({ storeId: id, bootId }) => ({ storeId: storeId(id), bootId })),
  };
}
