import { isDeepStrictEqual } from "node:util";
import { type Logger, RdbError } from "@flaredb/rdb-base";
import { isQuieter } from "../process-logger.ts";
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

/** The setting of how much is logged, in every program that has one. */
const LOG_LEVEL = "logLevel";

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
    const { program, surroundings, apply } = this.#options;
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
    const config = this.#besideWhatRuns(next, file);
    if (config === undefined) {
      return;
    }
    // A line about a quieter log would not get into it.
    if (this.#isQuieter(next)) {
      this.#tell(changed, reading, file);
      apply(config);
    } else {
      apply(config);
      this.#tell(changed, reading, file);
    }
    this.#reading = next;
  }

  /** Together with what needs a restart it was right; it has to be without, too. Logged, undefined: it is not. */
  #besideWhatRuns({ input, origins }: Reading, file: string): Config | undefined {
    try {
      return this.#options.program.parse(input, origins);
    } catch (error) {
      const problems = problemsOf(RdbError.from(error));
      this.#options.logger.error(
        { file, problems },
        "the configuration is right, but not beside settings that need a restart to change: nothing was changed, restart to have all of it",
      );
      return undefined;
    }
  }

  #isQuieter(next: Reading): boolean {
    const setting = this.#options.program.settings.all.find(({ name }) => name === LOG_LEVEL);
    return setting !== undefined && isQuieter(valueIn(setting, this.#reading), valueIn(setting, next));
  }

  #tell(changed: readonly GivenSetting[], reading: Reading, file: string): void {
    const { logger } = this.#options;
    const now = changed.filter(({ change }) => change === "SIGHUP");
    for (const setting of now) {
      const [from, to] = [textIn(setting, this.#reading), textIn(setting, reading)];
      logger.info({ setting: setting.name, from, to }, "the setting was changed");
    }
    for (const setting of changed.filter(({ change }) => change !== "SIGHUP")) {
      const [value, wanted] = [textIn(setting, this.#reading), textIn(setting, reading)];
      const message =
        setting.change === "first start"
          ? "the setting counts at the very first start only: a change has no effect"
          : "the setting needs a restart to change";
      logger.warn({ setting: setting.name, value, wanted }, message);
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
