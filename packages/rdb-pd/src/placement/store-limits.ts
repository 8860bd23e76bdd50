import type { StoreId } from "@flaredb/rdb-base";
import type { PlacementConfig } from "./placement-config.ts";

/** How many peers one Store takes in and gives away at a time. */
export interface StoreLimits {
  readonly addLimit: number;
  readonly removeLimit: number;
}

/** What people set for one Store alone; what is undefined is as for all Stores. */
export interface OwnStoreLimits {
  readonly addLimit?: number | undefined;
  readonly removeLimit?: number | undefined;
}

/** Limits of single Stores, as settings of placement beside those of all: older programs keep them and pass over them. */
const settingNames = { addLimit: "storeAddLimit", removeLimit: "storeRemoveLimit" } as const;

const settingPattern = /^(storeAddLimit|storeRemoveLimit)\.(\d+)$/;

/** The Store's own limits, and for the others those of all Stores. */
export function storeLimits(config: PlacementConfig, id: StoreId): StoreLimits {
  const own = config.ownStoreLimits?.get(id);
  return {
    addLimit: own?.addLimit ?? config.storeAddLimit,
    removeLimit: own?.removeLimit ?? config.storeRemoveLimit,
  };
}

/** A wish as settings to be kept: JSON by name. 0 goes back to the limit of all Stores. */
export function storeLimitSettings(id: StoreId, wish: OwnStoreLimits): Record<string, string> {
  return Object.fromEntries(
    (["addLimit", "removeLimit"] as const).flatMap((name) => {
      const limit = wish[name];
      return limit === undefined ? [] : [[`${settingNames[name]}.${id}`, limit === 0 ? "" : String(limit)]];
    }),
  );
}

/** The limits of single Stores among the settings that are kept. */
export function ownStoreLimits(
  settings: Readonly<Record<string, string>>,
): ReadonlyMap<StoreId, OwnStoreLimits> {
  const limits = new Map<StoreId, OwnStoreLimits>();
  for (const [name, json] of Object.entries(settings)) {
    const [, setting, digits] = settingPattern.exec(name) ?? [];
    if (digits !== undefined && json !== "") {
      const id = Number(digits) as StoreId;
      const limit = setting === settingNames.addLimit ? "addLimit" : "removeLimit";
      limits.set(id, { ...limits.get(id), [limit]: Number(json) });
    }
  }
  return limits;
}
