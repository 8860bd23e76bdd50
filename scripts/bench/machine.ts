import { execFileSync } from "node:child_process";
import { cpus, release, totalmem, type } from "node:os";
import { root } from "../source-files.ts";

/** What the figures depend on, as name and value. */
export function conditions(): [string, string][] {
  return [
    ["date", new Date().toISOString().slice(0, 10)],
    ["commit", commit()],
    ["cores", String(cpus().length)],
    ["CPU", cpus()[0]?.model.trim() ?? "unknown"],
    ["memory", `${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
    ["kernel", `${type()} ${release()}`],
    ["Node", process.versions.node],
    ["etcd", firstLine("etcd", ["--version"])?.replace(/^etcd Version: /, "") ?? "none"],
  ];
}

function commit(): string {
  const hash = firstLine("git", ["rev-parse", "--short=12", "HEAD"]) ?? "unknown";
  const changed = firstLine("git", ["status", "--porcelain", "--untracked-files=no"]);
  return changed === undefined || changed === "" ? hash : `${hash} with uncommitted changes`;
}

function firstLine(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .split("\n")[0]
      ?.trim();
  } catch {
    // Not installed here: the document says so.
    return undefined;
  }
}
