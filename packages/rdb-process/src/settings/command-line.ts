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

/** @throws RdbError RDB_CONFIG_INVALID for an unknown flag, one given twice that takes one value, or a word that belongs to none */
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
    settings.flags.map(({ name, setting, addsUp }) => {
      const { kind } = settings.named(setting);
      const multiple = addsUp ?? (kind === "map" || kind === "list");
      return [name, { type: kind === "boolean" ? "boolean" : "string", multiple } as const];
    }),
  );
  const known: Options = { ...options, ...ownOptions };
  try {
    const parsed = parseArgs({ args: [...argv], options: known, strict: true, tokens: true });
    refuseTwice(
      known,
      parsed.tokens.flatMap((token) => (token.kind === "option" ? [token.name] : [])),
    );
    return parsed.values;
  } catch (error) {
    const { message } = error as Error;
    throw new RdbError("RDB_CONFIG_INVALID", `${message}; see ${settings.program} --help`, { cause: error });
  }
}

type Options = Readonly<
  Record<
    string,
    { readonly type: "string" | "boolean"; readonly multiple?: boolean; readonly short?: string }
  >
>;

/** Whoever writes a flag twice means one of the two: which one, nobody knows. */
function refuseTwice(options: Options, given: readonly string[]): void {
  const twice = given.find((name, at) => options[name]?.multiple !== true && given.indexOf(name) < at);
  if (twice !== undefined) {
    throw new Error(`--${twice} is given twice: give it once`);
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
