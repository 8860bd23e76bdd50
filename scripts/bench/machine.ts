import { execFileSync } from "node:child_process";
import { statfsSync } from "node:fs";
import { type CpuInfo, cpus, release, tmpdir, totalmem, type } from "node:os";
import { pause } from "../../e2e/wait.ts";
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
    ["data on", fileSystemName(statfsSync(tmpdir()).type)],
    ["Node", process.versions.node],
    ["etcd", firstLine("etcd", ["--version"])?.replace(/^etcd Version: /, "") ?? "none"],
  ];
}

/** As Linux numbers them. */
const fileSystems: ReadonlyMap<number, string> = new Map([
  [0xef53, "ext4"],
  [0x58465342, "XFS"],
  [0x9123683e, "Btrfs"],
  [0x2fc12fc1, "ZFS"],
  [0x794c7630, "overlayfs"],
  // Both sides' data lie in the temporary folder, which is one of these on many systems.
  [0x01021994, "tmpfs, which is memory: no sync reaches a disk"],
]);

/** What data are written to: syncs are what a put waits for. @param magic as statfs tells it */
export function fileSystemName(magic: number): string {
  return fileSystems.get(magic) ?? `file system 0x${magic.toString(16)}`;
}

/** How long is looked at what else the machine does. */
const LOOK_MS = 1_000;

/** The share of all cores, 0 to 1, that is busy now: asked while nothing of ours runs, the load of others. */
export async function busyShare(): Promise<number> {
  const before = cpus();
  await pause(LOOK_MS);
  return busyBetween(before, cpus());
}

/** The share of the time between two looks in which the cores were busy. */
export function busyBetween(before: readonly CpuInfo[], after: readonly CpuInfo[]): number {
  const idle = spentOn(after, ["idle"]) - spentOn(before, ["idle"]);
  const kinds = ["idle", "user", "nice", "sys", "irq"] as const;
  const all = spentOn(after, kinds) - spentOn(before, kinds);
  return all === 0 ? 0 : 1 - idle / all;
}

function spentOn(cores: readonly CpuInfo[], kinds: readonly (keyof CpuInfo["times"])[]): number {
  return cores.reduce((sum, { times }) => kinds.reduce((part, kind) => part + times[kind], sum), 0);
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
