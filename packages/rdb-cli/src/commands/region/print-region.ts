import { RdbError } from "@flaredb/rdb-base";
import type { RegionRoute, Store } from "@flaredb/rdb-proto";
import type { Call } from "../../shell.ts";

/**
 * Prints what PD answered about one Region.
 *
 * @param more what people are shown below it
 */
export async function printRegion(
  call: Call<unknown>,
  answer: { readonly route?: RegionRoute | undefined; readonly stores: readonly Store[] },
  hex: boolean,
  more: () => Promise<string> = () => Promise.resolve(""),
): Promise<void> {
  const { route, stores } = answer;
  if (route === undefined) {
    throw new RdbError("RDB_NOT_FOUND", "the placement driver knows no such Region; see `rdb region list`");
  }
  const { regionDocument } = await import("../../cluster-json.ts");
  await call.print(regionDocument(route, hex), async () => {
    const { renderRegion } = await import("../../output/regions.ts");
    return `${renderRegion(route, stores, hex)}${await more()}`;
  });
}
