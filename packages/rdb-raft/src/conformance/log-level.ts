import type { InteractionEnv } from "./interaction-env.ts";
import { parseLogLevel } from "./output.ts";
import { ScriptError } from "./script-error.ts";

/** `log-level debug/info/warn/error/none`; `none` mutes everything but errors. */
export function setLogLevel(env: InteractionEnv, name: string): void {
  const level = parseLogLevel(name);
  if (level === undefined) {
    throw new ScriptError("log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]");
  }
  env.output.level = level;
}
