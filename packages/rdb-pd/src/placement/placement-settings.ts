import { RdbError } from "@flaredb/rdb-base";
import { describeIssue } from "@flaredb/rdb-process";
import type { DurableState } from "../cluster/durable-state.ts";
import { type PlacementConfig, placementSchema } from "./placement-config.ts";
import { ownStoreLimits } from "./store-limits.ts";

/** A setting as people see it; values are texts, lists with commas. */
export interface SettingView {
  readonly name: string;
  readonly value: string;
  readonly defaultValue: string;
  readonly description: string;
}

type Name = keyof typeof placementSchema.shape;

const names = Object.keys(placementSchema.shape) as Name[];

/** What of placement can be changed online: what PD was started with, under what people set since, durably. */
export class PlacementSettings {
  readonly #base: PlacementConfig;
  readonly #durable: DurableState;
  #overrides: Readonly<Record<string, string>> | undefined;
  #current: PlacementConfig;

  constructor(base: PlacementConfig, durable: DurableState) {
    this.#base = base;
    this.#durable = durable;
    this.#current = base;
  }

  /** As it is now, frozen. */
  get current(): PlacementConfig {
    const { settings } = this.#durable.placement;
    if (settings !== this.#overrides) {
      this.#overrides = settings;
      this.#current = Object.freeze({
        ...placementSchema.parse(merged(this.#base, settings)),
        ownStoreLimits: ownStoreLimits(settings),
      });
    }
    return this.#current;
  }

  views(): SettingView[] {
    const current = this.current;
    return names.map((name) => ({
      name,
      value: format(current[name]),
      defaultValue: format(this.#base[name]),
      description: placementSchema.shape[name].description ?? "",
    }));
  }

  /**
   * What people said, as it is to be kept: JSON by name. An empty text goes back to what PD was started with.
   *
   * @throws RdbError RDB_INVALID_ARGUMENT naming each setting that is unknown or out of range
   */
  check(values: Readonly<Record<string, string>>): Record<string, string> {
    const unknown = Object.keys(values).filter((name) => !names.includes(name as Name));
    if (unknown.length > 0) {
      throw invalid(`${unknown.join(", ")} is no setting of placement: they are ${names.join(", ")}`);
    }
    const changes = Object.fromEntries(
      Object.entries(values).map(([name, text]) => [name, toJson(name as Name, text)]),
    );
    const input = merged(this.#base, { ...this.#durable.placement.settings, ...changes });
    const parsed = placementSchema.safeParse(input);
    if (!parsed.success) {
      throw invalid(parsed.error.issues.flatMap((issue) => describeIssue(issue, input)).join("; "));
    }
    return changes;
  }
}

function merged(base: PlacementConfig, settings: Readonly<Record<string, string>>): Record<string, unknown> {
  const set = Object.entries(settings).filter(([name, json]) => json !== "" && names.includes(name as Name));
  return { ...base, ...Object.fromEntries(set.map(([name, json]) => [name, JSON.parse(json) as unknown])) };
}

/** A text in the setting's own type; the schema says whether it will do. */
function toJson(name: Name, text: string): string {
  const defaultValue: unknown = placementSchema.parse({})[name];
  if (text === "" && !Array.isArray(defaultValue)) {
    return "";
  }
  if (Array.isArray(defaultValue)) {
    return JSON.stringify(text === "" ? [] : text.split(",").map((part) => part.trim()));
  }
  if (typeof defaultValue === "number" && /^-?\d{1,15}(\.\d{1,15})?$/.test(text)) {
    return JSON.stringify(Number(text));
  }
  return text === "true" || text === "false" ? text : JSON.stringify(text);
}

function format(value: PlacementConfig[Name]): string {
  return Array.isArray(value) ? value.join(",") : String(value);
}

function invalid(message: string): RdbError {
  return new RdbError("RDB_INVALID_ARGUMENT", message, { details: { field: "values" } });
}
