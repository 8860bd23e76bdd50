import type { Command } from "commander";
import { type Call, type Shell, defineAction } from "../../shell.ts";
import { fetchRegions } from "./fetch-regions.ts";

interface Options {
  readonly hex?: true;
}

/** `rdb region list` */
export function defineRegionList(parent: Command, shell: Shell): void {
  const command = parent
    .command("list")
    .description("list all Regions in the order of their keys")
    .option("--hex", "print keys as hexadecimal digits");
  defineAction(command, shell, listRegions);
}

async function listRegions(call: Call<Options>): Promise<undefined> {
  const { regionDocument } = await import("../../cluster-json.ts");
  const hex = call.options.hex === true;
  const routes = await fetchRegions(call.globals);
  await call.print(
    routes.map((route) => regionDocument(route, hex)),
    async () => {
      const { renderRegions } = await import("../../output/regions.ts");
      return renderRegions(routes, { hex, width: call.io.columns });
    },
  );
}
