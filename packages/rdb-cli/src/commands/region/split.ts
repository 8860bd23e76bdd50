import type { RegionRoute } from "@flaredb/rdb-proto";
import type { Command } from "commander";
import type { ExitCode } from "../../failure.ts";
import { invalid, parseKey } from "../../input/bytes.ts";
import { parseId, parseInteger } from "../../input/numbers.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { type WaitOptions, noWaitOption } from "../../wait-option.ts";

/** More Regions at once than this come from several splits. */
const PART_MAX_COUNT = 64;

interface Options extends WaitOptions {
  readonly key?: readonly string[];
  readonly parts?: string;
  readonly hex?: true;
}

/** `rdb region split ID [--key K]... [--parts N]` */
export function defineRegionSplit(parent: Command, shell: Shell): void {
  const command = parent
    .command("split <id>")
    .description("split a Region, in two halves of about equal size unless told otherwise")
    .option(
      "--key <key>",
      "where a new Region begins; may be given several times",
      (key: string, before: readonly string[] | undefined) => [...(before ?? []), key],
    )
    .option("--parts <count>", `into so many parts of about equal size, 2 to ${PART_MAX_COUNT}`)
    .option("--hex", "keys are hexadecimal digits")
    .addOption(noWaitOption());
  defineAction(command, shell, splitRegion);
}

async function splitRegion(call: Call<Options>, idText: string): Promise<ExitCode> {
  const { key: keyTexts = [], parts, hex = false } = call.options;
  const regionId = parseId("id", idText);
  const keys = keyTexts.map((text) => parseKey(text, hex)).sort((a, b) => Buffer.compare(a, b));
  if (keys.length > 0 && parts !== undefined) {
    throw invalid("parts", "--key and --parts exclude each other: keys already say how many parts there are");
  }
  const partCount = parts === undefined ? 0 : parseInteger("parts", parts, 2, PART_MAX_COUNT);
  const { callPd, callPdAdmin } = await import("../../pd-caller.ts");
  const { carryOut } = await import("../../carry-out.ts");
  const { route } = await callPd(call.globals, (pd, options) => pd.getRegionById({ regionId }, options));
  const { operator } = await callPdAdmin(call.globals, (pd, options) =>
    pd.splitRegionAt({ regionId, keys, partCount }, options),
  );
  return carryOut(call, operator, () => describeParts(call, regionId, route, hex));
}

/** What lies in the range of the Region that was. */
async function describeParts(
  call: Call<unknown>,
  regionId: bigint,
  before: RegionRoute | undefined,
  hex: boolean,
): Promise<string> {
  const { fetchRegions } = await import("./fetch-regions.ts");
  const { formatRange } = await import("../../output/regions.ts");
  const routes = await fetchRegions(call.globals);
  const parts = routes.filter((route) => liesIn(route, before));
  const names = parts.map((part) => `${part.region?.id} ${formatRange(part, hex)}`);
  return `Region ${regionId} was split into ${parts.length}: ${names.join(", ")}`;
}

function liesIn({ region }: RegionRoute, outer: RegionRoute | undefined): boolean {
  if (region === undefined || outer?.region === undefined) {
    return false;
  }
  const { startKey, endKey } = outer.region;
  return (
    Buffer.compare(region.startKey, startKey) >= 0 &&
    (endKey.length === 0 || (region.endKey.length > 0 && Buffer.compare(region.endKey, endKey) <= 0))
  );
}
