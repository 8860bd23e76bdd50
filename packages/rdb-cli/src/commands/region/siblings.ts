import { RdbError, hasCode } from "@flaredb/rdb-base";
import type { RegionRoute } from "@flaredb/rdb-proto";
import type { Command } from "commander";
import type { Globals } from "../../globals.ts";
import { parseId } from "../../input/numbers.ts";
import { screenOf } from "../../io.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";

interface Options {
  readonly hex?: true;
}

/** `rdb region siblings ID` */
export function defineRegionSiblings(parent: Command, shell: Shell): void {
  const command = parent
    .command("siblings <id>")
    .description("show a Region's neighbours in the key space: whom it could be merged with")
    .option("--hex", "print keys as hexadecimal digits");
  defineLook(command, shell, showSiblings);
}

async function showSiblings(call: Call<Options>, idText: string): Promise<undefined> {
  const regionId = parseId("id", idText);
  const hex = call.options.hex === true;
  const { callPd } = await import("../../pd-caller.ts");
  const { route } = await callPd(call.globals, (pd, options) => pd.getRegionById({ regionId }, options));
  if (route?.region === undefined) {
    throw new RdbError("RDB_NOT_FOUND", `there is no Region ${regionId}; see \`rdb region list\``);
  }
  const { startKey, endKey } = route.region;
  const left = startKey.length === 0 ? undefined : await neighbour(call.globals, startKey, true);
  const right = endKey.length === 0 ? undefined : await neighbour(call.globals, endKey, false);
  const { regionDocument } = await import("../../cluster-json.ts");
  const document = (sibling: RegionRoute | undefined): unknown =>
    sibling === undefined ? null : regionDocument(sibling, hex);
  await call.print({ left: document(left), right: document(right) }, async () => {
    const found = [left, right].filter((sibling) => sibling !== undefined);
    if (found.length === 0) {
      return `Region ${regionId} has no neighbours: it is the only one\n`;
    }
    const { renderRegions } = await import("../../output/regions.ts");
    return renderRegions(found, { hex, ...screenOf(call.io) });
  });
}

/** Undefined while a split there is known only in part. */
async function neighbour(
  globals: Globals,
  key: Uint8Array,
  before: boolean,
): Promise<RegionRoute | undefined> {
  const { callPd } = await import("../../pd-caller.ts");
  try {
    const { route } = await callPd(globals, (pd, options) => pd.getRegion({ key, before }, options));
    return route;
  } catch (error) {
    if (hasCode(error, "RDB_REGION_NOT_FOUND")) {
      return undefined;
    }
    throw RdbError.from(error);
  }
}
