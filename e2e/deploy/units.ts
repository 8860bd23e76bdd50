import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isInstalled, run } from "./docker.ts";

const UNITS = fileURLToPath(new URL("../../deploy/systemd/", import.meta.url));

/**
 * Has systemd read the units of deploy/, as `systemd-analyze verify` does: unknown directives and values are problems.
 *
 * @returns what was done, for people
 */
export async function verifyUnits(): Promise<string> {
  if (!(await isInstalled("systemd-analyze"))) {
    return "systemd-analyze is not here";
  }
  const folder = mkdtempSync(join(tmpdir(), "flaredb-units-"));
  try {
    const names = readdirSync(UNITS).filter((name) => name.endsWith(".service"));
    const copies = names.map((name) => copyUnit(folder, name));
    // What it does not know it warns of, on stderr, and exits with 0.
    const said = await run("sh", ["-c", 'systemd-analyze verify "$@" 2>&1', "sh", ...copies]);
    const problems = said.split("\n").filter((line) => line.includes(folder));
    if (problems.length > 0) {
      throw new Error(problems.join("\n"));
    }
    return names.join(", ");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The unit with a program that is there: systemd looks for it. */
function copyUnit(folder: string, name: string): string {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const program = join(bin, name.replace(/\.service$/, ""));
  writeFileSync(program, "#!/bin/sh\n");
  chmodSync(program, 0o755);
  const unit = readFileSync(join(UNITS, name), "utf8").replace("/opt/flaredb/bin/", `${bin}/`);
  const copy = join(folder, name);
  writeFileSync(copy, unit);
  return copy;
}
