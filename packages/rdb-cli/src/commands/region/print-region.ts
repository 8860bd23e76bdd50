import { RdbError } from "@flaredb/rdb-base";
import type { RegionRoute, Store } from "@flaredb/rdb-proto";
import type { Call } from "../../shell.ts";

/** Prints what PD answered about one Region. */
export async function printRegion(
  call: Call<unknown>,
  answer: { readonly route?: RegionRoute | undefined; readonly stores: readonly Store[] },
  hex: boolean,
): Promise<void> {
  const { route, stores } = answer;
  if (route === undefined) {
    throw new RdbError("RDB_NOT_FOUND", "the placement driver knows no such Region; see `rdb region list`");
  }
  const { regionDocument } = await import("../../cluster-json.ts");
  await call.print(regionDocument(route, hex), async () => {
    const { renderRegion } = await import("../../output/regions.ts");
    return renderRegion(route, stores, hex);
  });
}
