import { RdbError, type StoreId, assertNever } from "@flaredb/rdb-base";
import { initialIdCount, placeInitialRegions } from "../bootstrap/initial-placement.ts";
import type { DurableState } from "../cluster/durable-state.ts";
import type { CommandKind, CommandOf, CommandResults, PdCommand } from "./command.ts";
import { beginRecovery, recordRecovery } from "./recover.ts";
import { registerStore } from "./register-store.ts";
import { setClusterVersion } from "./set-cluster-version.ts";
import { buryStore, setStore } from "./set-store.ts";

/**
 * Applies one committed command. A function of the state and the command alone, so that every member, and every
 * replay, comes to the same.
 *
 * @throws RdbError when the command is refused; the state is then unchanged, and the refusal is its answer
 */
export function applyCommand(state: DurableState, command: PdCommand): CommandResults[CommandKind] {
  switch (command.kind) {
    case "InitializeCluster":
      return initializeCluster(state, command);
    case "ConfigureCluster":
      return configureCluster(state, command);
    case "LeaseIds":
      return { firstId: state.takeIds(command.count) };
    case "RegisterStore":
      return registerStore(state, command);
    case "PlaceInitialRegions":
      return placeRegions(state, command);
    case "UpdateRoutes":
      return updateRoutes(state, command);
    case "RecordOperators":
      command.operators.forEach((operator) => state.putOperator(operator));
      return {};
    case "SetStore":
      return setStore(state, command);
    case "BuryStore":
      return buryStore(state, command);
    case "SetPlacement":
      state.updatePlacement({ settings: { ...state.placement.settings, ...command.settings } });
      return {};
    case "PauseScheduler":
      return pauseScheduler(state, command);
    case "PutMember":
      return putMember(state, command);
    case "RemoveMember":
      return removeMember(state, command);
    case "BeginRecovery":
      return beginRecovery(state, command);
    case "RecordRecovery":
      return recordRecovery(state, command);
    case "SetClusterVersion":
      return setClusterVersion(state, command);
    default:
      return assertNever(command, "command of the placement driver");
  }
}

function initializeCluster(
  state: DurableState,
  command: CommandOf<"InitializeCluster">,
): CommandResults["InitializeCluster"] {
  if (state.cluster.clusterId === 0) {
    state.updateCluster({ clusterId: command.clusterId });
  }
  return { clusterId: state.cluster.clusterId };
}

function configureCluster(
  state: DurableState,
  command: CommandOf<"ConfigureCluster">,
): CommandResults["ConfigureCluster"] {
  // What the Regions were placed by stays on record.
  if (!state.cluster.bootstrapped || state.cluster.config === undefined) {
    state.updateCluster({ config: command.config });
  }
  return { config: state.cluster.config ?? command.config };
}

function placeRegions(
  state: DurableState,
  command: CommandOf<"PlaceInitialRegions">,
): CommandResults["PlaceInitialRegions"] {
  const { bootstrapped, config } = state.cluster;
  if (bootstrapped) {
    return { regions: [] };
  }
  if (config === undefined || command.storeIds.length < config.bootstrapStoreCount) {
    throw new RdbError(
      "RDB_CLUSTER_NOT_BOOTSTRAPPED",
      `initial regions need ${config?.bootstrapStoreCount ?? "configured"} stores, got ${command.storeIds.length}`,
    );
  }
  for (const id of command.storeIds) {
    assertPresent(state, id);
  }
  const { initialRanges, replicaCount } = config;
  const regions = placeInitialRegions({
    ranges: initialRanges,
    storeIds: command.storeIds,
    replicaCount,
    firstId: state.takeIds(initialIdCount(initialRanges.length, replicaCount, command.storeIds.length)),
  });
  for (const region of regions) {
    state.putRegion(region);
    state.setForming(region.id, true);
  }
  state.updateCluster({ bootstrapped: true });
  return { regions };
}

function assertPresent(state: DurableState, id: StoreId): void {
  const store = state.stores.get(id);
  if (store === undefined || store.isTombstone) {
    throw new RdbError("RDB_NOT_FOUND", `store ${id} is gone, no initial region is placed on it`);
  }
}

function updateRoutes(
  state: DurableState,
  command: CommandOf<"UpdateRoutes">,
): CommandResults["UpdateRoutes"] {
  const accepted = command.regions.filter((region) => {
    if (!state.putRegion(region).accepted) {
      return false;
    }
    if (state.forming.has(region.id)) {
      state.setForming(region.id, false);
    }
    return true;
  });
  return { accepted: accepted.map((region) => region.id) };
}

function pauseScheduler(
  state: DurableState,
  { name, isPaused, untilMs }: CommandOf<"PauseScheduler">,
): CommandResults["PauseScheduler"] {
  const pausedSchedulers = new Map(state.placement.pausedSchedulers);
  if (isPaused) {
    pausedSchedulers.set(name, untilMs);
  } else {
    pausedSchedulers.delete(name);
  }
  state.updatePlacement({ pausedSchedulers });
  return {};
}

function putMember(state: DurableState, { member }: CommandOf<"PutMember">): CommandResults["PutMember"] {
  const known = state.members.get(member.id);
  if (known?.isRemoved === true) {
    // It said so before it was taken out: nothing brings it back.
    return { member: known };
  }
  const row = { ...member, isRemoved: false };
  state.putMember(row);
  return { member: row };
}

function removeMember(
  state: DurableState,
  { memberId }: CommandOf<"RemoveMember">,
): CommandResults["RemoveMember"] {
  const known = state.members.get(memberId) ?? { id: memberId, name: "", address: "", httpAddress: "" };
  state.putMember({ ...known, isRemoved: true });
  return {};
}
