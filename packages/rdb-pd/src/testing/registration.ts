import { clusterVersions, storeId } from "@flaredb/rdb-base";
import type { CommandOf, Registration } from "../command/command.ts";

/** A new Store's registration; its token is made from its address. */
function registration(change: Partial<Registration> = {}): Registration {
  const address = change.address ?? "127.0.0.1:7410";
  return {
    storeId: undefined,
    registrationToken: `token of ${address}`,
    address,
    httpAddress: "127.0.0.1:7420",
    labels: { host: "a" },
    programVersion: "0.1.0",
    clusterVersion: clusterVersions.newest,
    bootId: 11n,
    startedMs: 1_000,
    ...change,
  };
}

export function registerCommand(
  change: Partial<Registration> = {},
  silentStoreIds: readonly number[] = [],
): CommandOf<"RegisterStore"> {
  return {
    kind: "RegisterStore",
    registration: registration(change),
    silentStoreIds: silentStoreIds.map(storeId),
  };
}
