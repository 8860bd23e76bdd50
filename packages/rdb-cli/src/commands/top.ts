import type { Command } from "commander";
import type { ExitCode } from "../failure.ts";
import { type Heat, heatNames, parseHeat } from "../hot-regions.ts";
import { parseDurationMs, parseInteger } from "../input/numbers.ts";
import { screenOf } from "../io.ts";
import { type Call, type Shell, defineAction } from "../shell.ts";
import { fetchRegions } from "./region/fetch-regions.ts";

const INTERVAL = "2s";
const REGIONS = "10";
const REGIONS_MAX_COUNT = 1_000;
const LOOKS_MAX_COUNT = 1_000_000_000;

const NOTES = `
Rates are what the leaders of Regions reported last, every few seconds. On a terminal: q ends it, w and r sort
Regions by what is written or read. Elsewhere it looks once; with --json, a document a look until Ctrl-C.
`;

interface Options {
  readonly every?: string;
  readonly count?: string;
  readonly regions?: string;
  readonly by?: string;
}

/** `rdb top` */
export function defineTop(parent: Command, shell: Shell): void {
  const command = parent
    .command("top")
    .description("the Stores and the hottest Regions, live, with what goes in and out a second")
    .option("--every <time>", `look so often (default ${INTERVAL})`)
    .option("--count <looks>", "end after so many looks")
    .option("--regions <count>", `show so many Regions (default ${REGIONS})`)
    .option("--by <load>", `sort Regions by ${heatNames.join(", ")} (default ${heatNames[0]})`)
    .addHelpText("after", NOTES);
  defineAction(command, shell, runTop);
}

async function runTop(call: Call<Options>): Promise<ExitCode> {
  const { every, count, regions, by: byText } = call.options;
  const everyMs = parseDurationMs("every", every ?? INTERVAL);
  const maxCount = parseInteger("regions", regions ?? REGIONS, 1, REGIONS_MAX_COUNT);
  let by: Heat = parseHeat(byText ?? heatNames[0]);
  const isLive = call.globals.json || call.io.columns !== undefined;
  const lookCount = count === undefined ? undefined : parseInteger("count", count, 1, LOOKS_MAX_COUNT);
  const { repeat } = await import("../watch/repeat.ts");
  const onKey = (key: string): boolean => {
    const chosen = keyHeats[key];
    by = chosen ?? by;
    return chosen !== undefined;
  };
  const repetition = { everyMs, maxCount: lookCount ?? (isLive ? undefined : 1), onKey };
  return repeat(call, repetition, (look) => showTop(look, { by, maxCount }));
}

const keyHeats: Readonly<Record<string, Heat>> = { w: "written-bytes", r: "read-bytes" };

async function showTop(
  call: Call<Options>,
  options: { readonly by: Heat; readonly maxCount: number },
): Promise<undefined> {
  const { callPd } = await import("../pd-caller.ts");
  const { topDocument, topView } = await import("../top/top-view.ts");
  const info = await callPd(call.globals, (pd, wire) => pd.getClusterInfo({}, wire));
  const { statuses } = await callPd(call.globals, (pd, wire) => pd.listStores({}, wire));
  const routes = info.bootstrapped ? await fetchRegions(call.globals) : [];
  const view = topView({ info, statuses, routes }, options);
  await call.print(topDocument(view, Date.now()), async () => {
    const { renderTop } = await import("../top/render-top.ts");
    return renderTop(view, screenOf(call.io));
  });
}
