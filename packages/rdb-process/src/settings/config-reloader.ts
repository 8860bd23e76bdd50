import { isDeepStrictEqual } from "node:util";
import { type Logger, RdbError } from "@flaredb/rdb-base";
import { type Configurable, type Surroundings, configure } from "./configure.ts";
import { problemsOf } from "./issue.ts";
import { settingText } from "./print.ts";
import type { GivenSetting } from "./program-settings.ts";
import { type Reading, setAt, valueAt } from "./reading.ts";

export interface ConfigReloaderOptions<Config> {
  readonly program: Configurable<Config>;
  /** Those of the start. */
  readonly surroundings: Surroundings;
  /** What the process was started with. */
  readonly reading: Reading;
  readonly logger: Logger;
  /** Puts a configuration in force that differs in settings only that can change while the process runs. */
  readonly apply: (config: Config) => void;
}

/** Reads the config file again, and puts in force what can change while the process runs. */
export class ConfigReloader<Config> {
  readonly #options: ConfigReloaderOptions<Config>;
  /** What is in force. */
  #reading: Reading;

  constructor(options: ConfigReloaderOptions<Config>) {
    this.#options = options;
    this.#reading = options.reading;
  }

  /** Never throws: what is wrong is logged, and then nothing changes. */
  reload(): void {
    const { logger } = this.#options;
    const { file } = this.#reading;
    if (file === undefined) {
      logger.warn({}, "there is no config file to read again: name one with --config at the start");
      return;
    }
    try {
      this.#reload(file);
    } catch (error) {
      const problems = problemsOf(RdbError.from(error));
      logger.error({ file, problems }, "the configuration is wrong: nothing was changed");
    }
  }

  #reload(file: string): void {
    const { program, surroundings, logger, apply } = this.#options;
    const configured = configure(program, surroundings);
    if (configured.kind === "end") {
      return;
    }
    const { reading } = configured;
    const changed = program.settings.all.filter(
      (setting) => !isDeepStrictEqual(valueIn(setting, reading), valueIn(setting, this.#reading)),
    );
    const now = changed.filter(({ change }) => change === "SIGHUP");
    const next = this.#with(now, reading);
    // Together with what needs a restart it was right; it has to be without, too.
    const config = program.parse(next.input, next.origins);
    apply(config);
    for (const setting of now) {
      const [from, to] = [textIn(setting, this.#reading), textIn(setting, next)];
      logger.info({ setting: setting.name, from, to }, "the setting was changed");
    }
    this.#reading = next;
    for (const setting of changed.filter(({ change }) => change !== "SIGHUP")) {
      const [value, wanted] = [textIn(setting, this.#reading), textIn(setting, reading)];
      logger.warn({ setting: setting.name, value, wanted }, "the setting needs a restart to change");
    }
    logger.info({ file, changed: now.length }, "the configuration was read again");
  }

  /** What is in force, with these settings as they were read. */
  #with(changed: readonly GivenSetting[], reading: Reading): Reading {
    const input = structuredClone(this.#reading.input);
    const origins = new Map(this.#reading.origins);
    for (const { name, path } of changed) {
      setAt(input, path, valueAt(reading.input, path));
      const origin = reading.origins.get(name);
      if (origin === undefined) {
        origins.delete(name);
      } else {
        origins.set(name, origin);
      }
    }
    return { ...this.#reading, input, origins };
  }
}

function valueIn({ path, defaultValue }: GivenSetting, { input }: Reading): unknown {
  return valueAt(input, path) ?? defaultValue;
}

function textIn(setting: GivenSetting, reading: Reading): string {
  return settingText(setting, valueIn(setting, reading));
}
