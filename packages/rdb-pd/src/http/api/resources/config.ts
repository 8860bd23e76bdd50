import type { PlacementSetting } from "@flaredb/rdb-proto";
import { z } from "zod";
import { type Endpoint, endpoint } from "../endpoint.ts";

const settingSchema = z
  .strictObject({
    name: z.string(),
    value: z.string().describe("As text; lists with commas."),
    defaultValue: z.string().describe("What PD was started with."),
    description: z.string(),
  })
  .meta({ id: "Setting", description: "A setting of placement, as `rdb scheduler config --json` has it." });

const settingsSchema = z.strictObject({ settings: z.array(settingSchema) }).meta({ id: "Settings" });

const value = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);

const changeBody = z
  .strictObject({
    values: z
      .record(z.string(), value)
      .describe("By name; all are set, or none. An empty text goes back to what PD was started with."),
  })
  .meta({ id: "SettingChange" });

export const configEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/config/placement",
    id: "getPlacementConfig",
    tag: "config",
    summary: "What of placement can be changed while PD runs: replicas, location labels, limits, sizes",
    access: "leader",
    answer: settingsSchema,
    handle: async (_input, { calls }) => {
      const { settings } = await calls.admin.getPlacementConfig({});
      return { settings: settings.map(settingDocument) };
    },
  }),
  endpoint({
    method: "PATCH",
    path: "/config/placement",
    id: "setPlacementConfig",
    tag: "config",
    summary: "Change settings of placement, at once and for as long as the cluster lives",
    access: "leader",
    body: changeBody,
    answer: settingsSchema,
    handle: async ({ body }, { calls }) => {
      const values = Object.fromEntries(
        Object.entries(body.values).map(([name, each]) => [
          name,
          Array.isArray(each) ? each.join(",") : String(each),
        ]),
      );
      const { settings } = await calls.admin.setPlacementConfig({ values });
      return { settings: settings.map(settingDocument) };
    },
  }),
];

function settingDocument(setting: PlacementSetting): z.output<typeof settingSchema> {
  const { name, value: now, defaultValue, description } = setting;
  return { name, value: now, defaultValue, description };
}
