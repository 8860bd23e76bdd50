export {
  configure,
  endWith,
  type Configurable,
  type Configured,
  type Surroundings,
} from "./settings/configure.ts";
export { exitCodes, fail } from "./exit.ts";
export { ProcessLogger, type LogLevel } from "./process-logger.ts";
export { onSignals } from "./signals.ts";
export { ConfigReloader, type ConfigReloaderOptions } from "./settings/config-reloader.ts";
export { ProgramSettings, type Flag, type GivenSetting } from "./settings/program-settings.ts";
export { about, type Setting, type SettingChange } from "./settings/setting.ts";
export { ownUsage } from "./settings/command-line.ts";
export { checkInput } from "./settings/check.ts";
export { configError, describeIssue, type Origins } from "./settings/issue.ts";
export { hostAndPort, isEveryAddress, reachableHostAndPort, reachedAt } from "./settings/host-and-port.ts";
export { settingText } from "./settings/print.ts";
export { tlsFlags, tlsMissing, tlsSchema, tlsUsage } from "./settings/tls-settings.ts";
export { type ListenSettings, listenSchema } from "./settings/listen-settings.ts";
export { type TextValue, withUnit } from "./settings/text-value.ts";
