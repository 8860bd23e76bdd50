import type { PlacementSetting } from "@flaredb/rdb-proto";
import type { Command } from "commander";
import { invalid } from "../../input/bytes.ts";
import { screenOf } from "../../io.ts";
import type { Screen } from "../../output/table.ts";
import { type Call, type Shell, defineAction } from "../../shell.ts";

/** `rdb scheduler config [NAME=VALUE...]` */
export function defineSchedulerConfig(parent: Command, shell: Shell): void {
  const command = parent
    .command("config [settings...]")
    .description(
      "print the settings of placement, or change some with NAME=VALUE: at once, and for as long as the cluster lives",
    );
  defineAction(command, shell, configure);
}

async function configure(call: Call<unknown>, args: readonly string[]): Promise<undefined> {
  const names = args.filter((arg) => !arg.includes("="));
  const changes = Object.fromEntries(args.filter((arg) => arg.includes("=")).map(parseSetting));
  const { callPdAdmin } = await import("../../pd-caller.ts");
  const isChange = Object.keys(changes).length > 0;
  const settings = await callPdAdmin(call.globals, async (pd, options) => {
    const answer = isChange
      ? await pd.setPlacementConfig({ values: changes }, options)
      : await pd.getPlacementConfig({}, options);
    return answer.settings;
  });
  const wanted = [...names, ...Object.keys(changes)];
  const shown = wanted.length === 0 ? settings : wanted.map((name) => find(settings, name));
  await call.print(shown.map(settingDocument), () => render(shown, screenOf(call.io)));
}

function parseSetting(pair: string): [string, string] {
  const at = pair.indexOf("=");
  if (at < 1) {
    throw invalid("setting", `setting "${pair}" must be NAME=VALUE`);
  }
  return [pair.slice(0, at), pair.slice(at + 1)];
}

function find(settings: readonly PlacementSetting[], name: string): PlacementSetting {
  const setting = settings.find((each) => each.name === name);
  if (setting === undefined) {
    throw invalid("setting", `there is no setting "${name}": see \`rdb scheduler config\``);
  }
  return setting;
}

function settingDocument({ name, value, defaultValue, description }: PlacementSetting): PlacementSettingJson {
  return { name, value, defaultValue, description };
}

type PlacementSettingJson = Pick<PlacementSetting, "name" | "value" | "defaultValue" | "description">;

async function render(settings: readonly PlacementSetting[], screen: Screen): Promise<string> {
  const { renderTable } = await import("../../output/table.ts");
  return renderTable(
    [
      { title: "SETTING" },
      { title: "VALUE", shrinks: "end" },
      { title: "DEFAULT", shrinks: "end" },
      { title: "MEANING", shrinks: "end" },
    ],
    settings.map(({ name, value, defaultValue, description }) => [
      name,
      value,
      value === defaultValue ? "" : defaultValue,
      description,
    ]),
    screen,
  );
}
