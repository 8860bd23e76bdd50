import { RdbError } from "@flaredb/rdb-base";
import type { CommandLine } from "./command-line.ts";
import { type ConfigFields, isFields, readConfigFile } from "./config-file.ts";
import { type Environment, setVariables, unknownVariables } from "./environment.ts";
import type { GivenSetting, ProgramSettings } from "./program-settings.ts";
import { type TextReader, hasMultiples } from "./text-value.ts";

/** Who gave a setting its value. A later one goes before an earlier one. */
export type Source = "default" | "file" | "environment" | "flag";

/** Where a value was written: `--port`, `FLAREDB_SERVER_PORT`, `/etc/flaredb/server.json`. */
export interface Origin {
  readonly source: Source;
  readonly place: string;
}

/** Everything that was said about a configuration, not checked yet but for its form. */
export interface Reading {
  /** What the program's schema is to check. */
  readonly input: Record<string, unknown>;
  /** By the names of the settings; those that are missing have their default. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** What could not be read, in words. */
  readonly problems: readonly string[];
  /** Whether the config file was read, if one was named: without it nobody knows what is missing. */
  readonly isWhole: boolean;
  /** undefined: none was named. */
  readonly file: string | undefined;
}

/** Joins config file, environment and flags. What is wrong is collected, so that all of it is told at once. */
export function readSettings(
  settings: ProgramSettings,
  commandLine: CommandLine,
  environment: Environment,
): Reading {
  const file = commandLine.file ?? (environment[settings.fileVariable] || undefined);
  const joined = new JoinedSettings(settings);
  if (file !== undefined) {
    joined.addFile(file);
  }
  joined.addVariables(environment);
  joined.addFlags(commandLine);
  const { input, origins, problems, isWhole } = joined;
  return { input, origins, problems, isWhole, file };
}

class JoinedSettings {
  readonly input: Record<string, unknown> = {};
  readonly origins = new Map<string, Origin>();
  readonly problems: string[] = [];
  isWhole = true;
  readonly #settings: ProgramSettings;

  constructor(settings: ProgramSettings) {
    this.#settings = settings;
  }

  addFile(path: string): void {
    try {
      Object.assign(this.input, readConfigFile(path));
    } catch (error) {
      this.problems.push(RdbError.from(error).message);
      this.isWhole = false;
      return;
    }
    for (const setting of this.#settings.all) {
      const value = valueAt(this.input, setting.path);
      if (value !== undefined) {
        this.origins.set(setting.name, { source: "file", place: path });
        this.#readUnit(setting, value);
      }
    }
  }

  /** JSON has no units: a size or a time in quotes may have one. */
  #readUnit(setting: GivenSetting, value: unknown): void {
    const outcome = typeof value === "string" && hasMultiples(setting.unit) ? setting.read(value) : undefined;
    if (outcome !== undefined && "value" in outcome) {
      setAt(this.input, setting.path, outcome.value);
    }
  }

  addVariables(environment: Environment): void {
    const { all, prefix, fileVariable } = this.#settings;
    const texts = setVariables(environment, prefix);
    for (const setting of all) {
      const text = texts.get(setting.variable);
      if (text !== undefined) {
        this.#give(setting, { source: "environment", place: setting.variable }, text, setting.read);
      }
    }
    const known = new Set([fileVariable, ...all.map(({ variable }) => variable)]);
    this.problems.push(...unknownVariables(environment, prefix, known));
  }

  addFlags({ values }: CommandLine): void {
    for (const { setting, flag, texts } of values) {
      this.#give(
        setting,
        { source: "flag", place: flag },
        texts.join(","),
        setting.flag?.read ?? setting.read,
      );
    }
  }

  #give(setting: GivenSetting, origin: Origin, text: string, read: TextReader): void {
    const outcome = read(text);
    if ("problem" in outcome) {
      const shown = setting.isSecret ? "" : ` "${text}"`;
      this.problems.push(`${origin.place}${shown} ${outcome.problem}`);
      return;
    }
    for (const other of this.#settings.alternativesOf(setting.name)) {
      if (this.origins.get(other.name)?.source !== origin.source) {
        setAt(this.input, other.path, undefined);
        this.origins.delete(other.name);
      }
    }
    setAt(this.input, setting.path, outcome.value);
    this.origins.set(setting.name, origin);
  }
}

/** undefined: there is none. */
export function valueAt(fields: unknown, path: readonly PropertyKey[]): unknown {
  let value = fields;
  for (const key of path) {
    if (typeof value !== "object" || value === null) {
      return undefined;
    }
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

/**
 * Sets a field, or takes it away; objects on the way are replaced by copies.
 * What stands in the way and has no fields stays as it is: the check will name it.
 */
export function setAt(fields: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [key = "", ...rest] = path;
  if (rest.length === 0) {
    if (value === undefined) {
      delete fields[key];
    } else {
      fields[key] = value;
    }
    return;
  }
  const inner: unknown = fields[key] ?? {};
  if (isFields(inner)) {
    const copy: Record<string, unknown> = { ...(inner satisfies ConfigFields) };
    setAt(copy, rest, value);
    fields[key] = copy;
  }
}
