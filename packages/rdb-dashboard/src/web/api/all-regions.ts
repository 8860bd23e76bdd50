import { useEffect, useState } from "preact/hooks";
import { ask, withQuery } from "./client.ts";
import type { Region, RegionPage } from "./gen/types.ts";
import { ApiError } from "./problem.ts";

/** Regions that the list holds; a filter finds those that are left out. */
const MAX_COUNT = 20_000;
const EVERY_MS = 15_000;

export interface RegionFilter {
  readonly storeId?: string | undefined;
  readonly leaderStoreId?: string | undefined;
  readonly state?: string | undefined;
}

/** Regions as they come, page by page. */
export interface RegionList {
  readonly regions: readonly Region[];
  readonly isWhole: boolean;
  readonly error: ApiError | undefined;
}

/** All Regions that pass the filter, page by page, and again every now and then. */
export function useAllRegions(filter: RegionFilter): RegionList {
  const [list, setList] = useState<RegionList>({ regions: [], isWhole: false, error: undefined });
  const { storeId, leaderStoreId, state } = filter;
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    setList({ regions: [], isWhole: false, error: undefined });
    const read = async (isFirst: boolean): Promise<void> => {
      try {
        const regions: Region[] = [];
        let startKeyHex: string | undefined;
        let isWhole = false;
        while (!isWhole && regions.length < MAX_COUNT) {
          const path = withQuery("/regions", { storeId, leaderStoreId, state, startKeyHex });
          const page = await ask<RegionPage>(path, { signal: stop.signal });
          regions.push(...page.regions);
          startKeyHex = page.nextKeyHex ?? undefined;
          isWhole = page.nextKeyHex === null;
          if (isFirst) {
            setList({ regions: [...regions], isWhole, error: undefined });
          }
        }
        setList({ regions, isWhole, error: undefined });
      } catch (error) {
        if (stop.signal.aborted) {
          return;
        }
        const known = error instanceof ApiError ? error : new ApiError(0, "", String(error));
        setList((before) => ({ ...before, error: known }));
      }
      if (!stop.signal.aborted) {
        timer = setTimeout(() => void read(false), EVERY_MS);
      }
    };
    void read(true);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [storeId, leaderStoreId, state]);
  return list;
}
