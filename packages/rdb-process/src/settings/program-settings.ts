import { assert } from "@flaredb/rdb-base";
import type { z } from "zod";
import { variableOf } from "./environment.ts";
import { type Setting, settingsOf } from "./setting.ts";
import { type TextReader, textReader } from "./text-value.ts";

/** A setting's flag on the command line. */
export interface Flag {
  /** Without the dashes: `data-dir`. */
  readonly name: string;
  /** The setting that it sets. */
  readonly setting: string;
  /** Whether one that is given again adds to what was given before. Default: of lists and maps it does. */
  readonly addsUp?: boolean;
  /** Default: as in the environment. */
  readonly read?: TextReader;
}

/** Writes a value as its reader takes it. */
type TextWriter = (value: unknown) => string | undefined;

/** What a program's settings are, and how they can be given. */
export interface ProgramSettingsOptions {
  /** `rdb-server` */
  readonly program: string;
  /** `FLAREDB_SERVER_` */
  readonly prefix: string;
  readonly schema: z.ZodObject;
  /** In the order of the help. */
  readonly flags: readonly Flag[];
  /** Readers of settings whose text is no plain value. */
  readonly readers?: Readonly<Record<string, TextReader>>;
  /** The opposite of `readers`; undefined for a value that is none of the setting's. */
  readonly writers?: Readonly<Record<string, TextWriter>>;
  /** Settings that say the same in different ways: whoever gives one takes back the others that were given before. */
  readonly alternatives?: readonly (readonly string[])[];
}

/** A setting with all the ways to give it. */
export interface GivenSetting extends Setting {
  readonly variable: string;
  readonly flag: Flag | undefined;
  readonly read: TextReader;
  readonly write: TextWriter | undefined;
}

/** The settings of one program: made from its schema, so that none can be forgotten. */
export class ProgramSettings {
  readonly program: string;
  readonly prefix: string;
  readonly all: readonly GivenSetting[];
  readonly flags: readonly Flag[];
  /** The variable that names the config file, as `--config` does. */
  readonly fileVariable: string;
  readonly #alternatives: readonly (readonly string[])[];

  constructor(options: ProgramSettingsOptions) {
    const { program, prefix, flags, readers = {}, writers = {}, alternatives = [] } = options;
    this.program = program;
    this.prefix = prefix;
    this.flags = flags;
    this.fileVariable = `${prefix}CONFIG`;
    this.#alternatives = alternatives;
    this.all = settingsOf(options.schema).map((setting) => ({
      ...setting,
      variable: variableOf(prefix, setting),
      flag: flags.find((flag) => flag.setting === setting.name),
      read: readers[setting.name] ?? textReader(setting),
      write: writers[setting.name],
    }));
    const variables = new Set(this.all.map((setting) => setting.variable));
    assert(variables.size === this.all.length, "every setting has a variable of its own");
    const named = [...flags.map((flag) => flag.setting), ...Object.keys(readers), ...alternatives.flat()];
    for (const name of named) {
      this.named(name);
    }
  }

  /** The setting of this name. There has to be one. */
  named(name: string): GivenSetting {
    const setting = this.all.find((each) => each.name === name);
    assert(setting !== undefined, `${name} is a setting`);
    return setting;
  }

  /** The setting that a path into the configuration leads to, or through; undefined: none. */
  at(path: readonly PropertyKey[]): GivenSetting | undefined {
    return this.all.find((setting) => setting.path.every((part, depth) => part === path[depth]));
  }

  /** The settings that say in another way what this one says. */
  alternativesOf(name: string): GivenSetting[] {
    const group = this.#alternatives.find((names) => names.includes(name)) ?? [];
    return group.filter((other) => other !== name).map((other) => this.named(other));
  }
}
