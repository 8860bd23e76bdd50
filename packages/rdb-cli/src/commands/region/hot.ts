import type { Command } from "commander";
import { heatNames, hottest, parseHeat } from "../../hot-regions.ts";
import { parseInteger } from "../../input/numbers.ts";
import { screenOf } from "../../io.ts";
import { type Call, type Shell, defineLook } from "../../shell.ts";
import { fetchRegions } from "./fetch-regions.ts";

const LIMIT = "10";
const LIMIT_MAX = 1_000;

interface Options {
  readonly by?: string;
  readonly limit?: string;
  readonly hex?: true;
}

/** `rdb region hot` */
export function defineRegionHot(parent: Command, shell: Shell): void {
  const command = parent
    .command("hot")
    .description("list the Regions with the most load, by what their leaders last reported")
    .option("--by <load>", `${heatNames.join(", ")} (default ${heatNames[0]})`)
    .option("--limit <count>", `at most so many (default ${LIMIT})`)
    .option("--hex", "print keys as hexadecimal digits");
  defineLook(command, shell, listHotRegions);
}

async function listHotRegions(call: Call<Options>): Promise<undefined> {
  const by = parseHeat(call.options.by ?? heatNames[0]);
  const maxCount = parseInteger("limit", call.options.limit ?? LIMIT, 1, LIMIT_MAX);
  const hex = call.options.hex === true;
  const { regionDocument } = await import("../../cluster-json.ts");
  const routes = hottest(await fetchRegions(call.globals), by, maxCount);
  await call.print(
    routes.map((route) => regionDocument(route, hex)),
    async () => {
      if (routes.length === 0) {
        return `no Region has any load by ${by.replace("-", " ")}\n`;
      }
      const { renderRegions } = await import("../../output/regions.ts");
      return renderRegions(routes, { hex, ...screenOf(call.io) });
    },
  );
}
