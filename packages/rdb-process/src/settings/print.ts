import type { GivenSetting, ProgramSettings } from "./program-settings.ts";
import { type Reading, type Source, valueAt } from "./reading.ts";
import { renderTable } from "./text-table.ts";
import { withMultiple } from "./text-value.ts";

/** A setting as `--print-config --json` shows it. */
interface SettingDocument {
  readonly name: string;
  /** null: it has none. */
  readonly value: unknown;
  readonly unit: string;
  readonly default: unknown;
  readonly source: Source;
  /** The flag, variable or file that gave it; null for a default. */
  readonly origin: string | null;
  readonly variable: string;
  readonly flag: string | null;
  /** What it takes for a changed value to take effect. */
  readonly change: GivenSetting["change"];
  readonly description: string;
}

const HIDDEN = "(hidden)";

/** Every setting with its value and who gave it, in the schema's order. */
export function settingDocuments(settings: ProgramSettings, reading: Reading): SettingDocument[] {
  return settings.all.map((setting) => {
    const { name, unit, variable, flag, change, description, isSecret, defaultValue = null } = setting;
    const origin = reading.origins.get(name);
    const value = valueOf(setting, reading) ?? null;
    return {
      ...{ name, value: isSecret && value !== null ? HIDDEN : value, unit, default: defaultValue },
      ...{ source: origin?.source ?? "default", origin: origin?.place ?? null },
      ...{ variable, flag: flag === undefined ? null : `--${flag.name}`, change, description },
    };
  });
}

/**
 * As a table. A default is shown where somebody gave another value.
 *
 * @param width columns of the terminal; undefined: as wide as it takes
 */
export function renderSettings(
  settings: ProgramSettings,
  reading: Reading,
  width: number | undefined,
): string {
  const rows = settings.all.map((setting) => {
    const source = reading.origins.get(setting.name)?.source ?? "default";
    const value = settingText(setting, valueOf(setting, reading));
    const defaultText = source === "default" ? "" : settingText(setting, setting.defaultValue);
    return [setting.name, value, setting.unit, defaultText, source];
  });
  return renderTable(["SETTING", "VALUE", "UNIT", "DEFAULT", "SOURCE"], rows, width);
}

function valueOf(setting: GivenSetting, { input, origins }: Reading): unknown {
  return origins.has(setting.name) ? valueAt(input, setting.path) : setting.defaultValue;
}

/** A value as it would be written in the environment; "-" for none. */
export function settingText({ isSecret, unit, write }: GivenSetting, value: unknown): string {
  if (value === undefined) {
    return "-";
  }
  if (isSecret) {
    return HIDDEN;
  }
  const written = write?.(value);
  if (written !== undefined) {
    return written;
  }
  if (typeof value === "number") {
    return withMultiple(value, unit);
  }
  return typeof value === "string" ? value : objectText(value);
}

/** Lists with commas, maps as `NAME=VALUE`; JSON for what is neither. */
function objectText(value: unknown): string {
  const isList = Array.isArray(value);
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (typeof value !== "object" || !entries.every(([, each]) => typeof each === "string")) {
    return JSON.stringify(value);
  }
  return entries.map(([name, each]) => (isList ? each : `${name}=${each}`)).join(",");
}
