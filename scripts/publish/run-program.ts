import { execFile } from "node:child_process";
import { promisify } from "node:util";

const OUTPUT_MAX_BYTES = 16 * 1024 * 1024;

/** What a program printed. @throws Error with all of it when it exits with anything but 0 */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<string> {
  const env = { ...process.env, npm_config_update_notifier: "false", ...options.env };
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      ...{ cwd: options.cwd, env, maxBuffer: OUTPUT_MAX_BYTES },
    });
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
