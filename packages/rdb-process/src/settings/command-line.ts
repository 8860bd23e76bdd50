import { parseArgs } from "node:util";
import { RdbError } from "@flaredb/rdb-base";
import type { GivenSetting, ProgramSettings } from "./program-settings.ts";

/** What a program is asked to do. */
type Action =
  | { readonly kind: "start" }
  | { readonly kind: "help" }
  | { readonly kind: "check" }
  | { readonly kind: "print"; readonly isJson: boolean };

/** What the command line says. */
export interface CommandLine {
  readonly action: Action;
  /** `--config` */
  readonly file: string | undefined;
  /** The settings' flags with what was written for them. */
  readonly values: readonly FlagValue[];
}

interface FlagValue {
  readonly setting: GivenSetting;
  readonly flag: string;
  /** Of a flag that may be repeated, all. A flag without a value has the text "true". */
  readonly texts: readonly string[];
}

const ownOptions = {
  config: { type: "string" },
  "check-config": { type: "boolean" },
  "print-config": { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** The help's lines about the flags that every program has. */
export const ownUsage = `  --check-config          say whether the configuration is right, and end: exit code 0 or 2
  --print-config          print every setting, its value and who gave it, and end; --json for programs
  -h, --help              this text

Every setting can be given in the environment too, and in the config file: see --print-config and docs/configuration.md.
A flag goes before a variable of the environment, that before the config file, that before the default.`;

/** @throws RdbError RDB_CONFIG_INVALID for an unknown flag, or a word that belongs to none */
export function readCommandLine(settings: ProgramSettings, argv: readonly string[]): CommandLine {
  const values = parse(settings, argv);
  return {
    action: actionOf(values),
    file: typeof values["config"] === "string" ? values["config"] : undefined,
    values: settings.flags.flatMap(({ name, setting }) => {
      const value = values[name];
      return value === undefined
        ? []
        : [{ setting: settings.named(setting), flag: `--${name}`, texts: [value].flat().map(String) }];
    }),
  };
}

type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

function parse(settings: ProgramSettings, argv: readonly string[]): Values {
  const options = Object.fromEntries(
    settings.flags.map(({ name, setting }) => {
      const { kind } = settings.named(setting);
      return [name, { type: kind === "boolean" ? "boolean" : "string", multiple: kind === "map" } as const];
    }),
  );
  try {
    const args = [...argv];
    return parseArgs({ args, options: { ...options, ...ownOptions }, strict: true, allowPositionals: false })
      .values;
  } catch (error) {
    const { message } = error as Error;
    throw new RdbError("RDB_CONFIG_INVALID", `${message}; see ${settings.program} --help`, { cause: error });
  }
}

function actionOf(values: Values): Action {
  if (values["help"] === true) {
    return { kind: "help" };
  }
  const isJson = values["json"] === true;
  if (values["print-config"] === true) {
    return { kind: "print", isJson };
  }
  if (isJson) {
    throw new RdbError("RDB_CONFIG_INVALID", "--json goes with --print-config only");
  }
  return { kind: values["check-config"] === true ? "check" : "start" };
}
