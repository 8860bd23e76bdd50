import { RdbError, type StoreId, clusterVersions } from "@flaredb/rdb-base";
import type { DurableState } from "../cluster/durable-state.ts";
import { goneForGood } from "../cluster/gone-for-good.ts";
import { type StoreInfo, withAdminLabels } from "../cluster/store-info.ts";
import { pdLimits } from "../limits.ts";
import type { CommandOf, CommandResults, Registration } from "./command.ts";

/**
 * Registers a new Store, or notes the new process of a known one.
 *
 * A new Store is known by its token, so a repeated call gets the same id. An address belongs to one Store: that of
 * a Store that still answers is refused, that of a silent one goes over. To a new Store: the silent one is gone for
 * good, because it was wiped, or what stands behind its address now has other data. To a known one, whose data is at
 * the address now: nothing says that the silent one lost its own, so it has no address until it registers again.
 * Addresses that were dealt anew bury nobody.
 *
 * @throws RdbError RDB_ALREADY_EXISTS when the address is a living Store's; RDB_NOT_FOUND for an id that was never
 * given out; RDB_STORE_DECOMMISSIONED or RDB_DATA_FOREIGN for a Store that is gone for good; RDB_VERSION_TOO_OLD for a
 * program that does not know the cluster's version
 */
export function registerStore(
  state: DurableState,
  command: CommandOf<"RegisterStore">,
): CommandResults["RegisterStore"] {
  const { registration } = command;
  const known = findKnown(state, registration);
  checkVersion(state, registration);
  const owner = findAddressOwner(state, registration.address, known?.id);
  if (owner !== undefined && !command.silentStoreIds.includes(owner.id)) {
    throw new RdbError(
      "RDB_ALREADY_EXISTS",
      `address ${registration.address} of ${known === undefined ? "a new store" : `store ${known.id}`} is that of store ${owner.id}, which still answers: stop store ${owner.id} or choose another address`,
      { details: { address: registration.address, storeId: owner.id } },
    );
  }
  if (known === undefined && state.stores.size >= pdLimits.storeMaxCount) {
    throw new RdbError(
      "RDB_INVALID_ARGUMENT",
      `the cluster has had ${state.stores.size} stores, storeMaxCount is ${pdLimits.storeMaxCount}`,
    );
  }
  const id = known?.id ?? state.takeStoreId();
  const replaced =
    owner === undefined || known !== undefined ? undefined : { ...owner, isTombstone: true, replacedBy: id };
  if (owner !== undefined) {
    state.putStore(replaced ?? { ...owner, address: "" });
  }
  const store = storeOf(registration, id, { known, clusterVersion: keptVersion(state, registration) });
  state.putStore(store);
  return { store, replaced };
}

/** @throws RdbError RDB_VERSION_TOO_OLD */
function checkVersion(
  { clusterVersion }: DurableState,
  { storeId, clusterVersion: known, programVersion }: Registration,
): void {
  if (known < clusterVersion) {
    const who = storeId === undefined ? "the new store" : `store ${storeId}`;
    throw new RdbError(
      "RDB_VERSION_TOO_OLD",
      `the cluster has version ${clusterVersion}, the program of ${who} (${programVersion}) knows up to ${known}: start it with the program that the others run; a cluster version never falls`,
      { details: { clusterVersion, known } },
    );
  }
}

function findKnown(state: DurableState, registration: Registration): StoreInfo | undefined {
  const { storeId, registrationToken } = registration;
  const known =
    storeId === undefined
      ? [...state.stores.values()].find((store) => store.registrationToken === registrationToken)
      : state.stores.get(storeId);
  if (known === undefined && storeId !== undefined) {
    throw new RdbError(
      "RDB_NOT_FOUND",
      `store ${storeId} was never registered here: start it with an empty data folder to get a new id`,
      { details: { storeId } },
    );
  }
  if (known?.isTombstone === true || known?.isLost === true) {
    throw goneForGood(known);
  }
  return known;
}

function findAddressOwner(
  state: DurableState,
  address: string,
  except: StoreId | undefined,
): StoreInfo | undefined {
  return [...state.stores.values()].find(
    (store) => store.address === address && !store.isTombstone && store.id !== except,
  );
}

/** Members that know of no versions do not keep any: as long as there may be some, nobody does. */
function keptVersion(state: DurableState, registration: Registration): number {
  return state.clusterVersion === clusterVersions.oldest
    ? clusterVersions.oldest
    : registration.clusterVersion;
}

function storeOf(
  registration: Registration,
  id: StoreId,
  { known, clusterVersion }: { readonly known: StoreInfo | undefined; readonly clusterVersion: number },
): StoreInfo {
  return {
    id,
    registrationToken: known?.registrationToken ?? registration.registrationToken,
    address: registration.address,
    httpAddress: registration.httpAddress,
    labels: withAdminLabels(registration.labels, known?.adminLabels ?? {}),
    adminLabels: known?.adminLabels ?? {},
    isDraining: known?.isDraining ?? false,
    evictsLeaders: known?.evictsLeaders ?? false,
    programVersion: registration.programVersion,
    clusterVersion,
    bootId: registration.bootId,
    // A repeated call of the same process is no new start.
    startedMs: known?.bootId === registration.bootId ? known.startedMs : registration.startedMs,
    isTombstone: false,
    replacedBy: undefined,
  };
}
