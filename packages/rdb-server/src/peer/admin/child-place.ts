import { type Region, type StoreId, assert, peerOnStore } from "@flaredb/rdb-base";
import type { HardState } from "@flaredb/rdb-raft";
import { type Engine, RaftLogStore, getRegionLocalState } from "@flaredb/rdb-storage";

/** What a Store holds where a split would make a new Region's peer. */
export type ChildPlace =
  /** Nothing, or an empty peer of the very id: what that promised must be kept. */
  | { readonly kind: "free"; readonly promised: HardState | undefined }
  /** A later life of the Region was here or is: its peer of the split is out of date before it is made. */
  | { readonly kind: "taken" };

/**
 * Looks what stands where a new Region's peer would be made. The Region's id is as new as the split, so whoever is here
 * already came by a message of its peers on other Stores, which applied the split before: an empty peer of the same id,
 * one that came later, or what either left behind.
 */
export function childPlace(engine: Engine, storeId: StoreId, child: Region): ChildPlace {
  const own = peerOnStore(child, storeId);
  assert(own !== undefined, "a new Region has a peer wherever the split one has");
  const local = getRegionLocalState(engine, child.id);
  if (local === undefined) {
    return { kind: "free", promised: undefined };
  }
  assert(
    local.state !== "Normal" && local.state !== "Applying",
    "keys of the split Region have no other owner on this Store",
  );
  const isSame = local.state === "Uninitialised" && peerOnStore(local.region, storeId)?.id === own.id;
  return isSame ? { kind: "free", promised: RaftLogStore.hardStateOf(engine, child.id) } : { kind: "taken" };
}
