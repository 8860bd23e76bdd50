import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Random } from "@flaredb/rdb-base";
import { type CrashImageOptions, buildCrashImage } from "./crash-image.ts";

/** Compiles sync-shim.c into a folder. @throws Error that says what is missing */
export function buildShim(folder: string): string {
  const source = fileURLToPath(new URL("./sync-shim.c", import.meta.url));
  const target = join(folder, "sync-shim.so");
  const flags = ["-shared", "-fPIC", "-O2", "-Wall", "-Werror"];
  try {
    execFileSync("cc", [...flags, "-o", target, source, "-ldl", "-lpthread"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
  } catch (cause) {
    throw new Error("a loss of power needs a C compiler named cc, on Linux, for src/crash/sync-shim.c", {
      cause,
    });
  }
  return target;
}

export interface WatchedFolderOptions {
  /** What the process works in, absolute. Made where it is missing. */
  readonly folder: string;
  /** Empty, on the same file system; what is noted lies there. */
  readonly workFolder: string;
  /** What `buildShim` made. */
  readonly shim: string;
}

/** A folder of which is noted what one process syncs in it, so that it can lose what a machine without power would. */
export class WatchedFolder {
  readonly #parts: Pick<CrashImageOptions, "folder" | "grave" | "journal" | "before">;
  /** To be added to the process' own. */
  readonly environment: Readonly<Record<string, string>>;

  /** Before the process starts. */
  static begin(options: WatchedFolderOptions): WatchedFolder {
    return new WatchedFolder(options);
  }

  private constructor({ folder, workFolder, shim }: WatchedFolderOptions) {
    const grave = join(workFolder, "grave");
    const journal = join(workFolder, "journal");
    mkdirSync(grave);
    mkdirSync(folder, { recursive: true });
    // A process that dies before the shim is loaded has done nothing.
    writeFileSync(journal, "");
    this.#parts = { folder, grave, journal, before: bury(folder, grave) };
    this.environment = {
      LD_PRELOAD: shim,
      SHIM_FOLDER: folder,
      SHIM_GRAVE: grave,
      SHIM_JOURNAL: journal,
    };
  }

  /**
   * After the process was killed. Puts what a machine would have kept that lost its power at that moment into `target`:
   * of what was not synced nothing, or a part.
   */
  losePower(target: string, random: Random): void {
    const keep = random.nextInt(2) === 0 ? "none" : "prefix";
    buildCrashImage({ ...this.#parts, target, keep, random });
  }
}

/** Gives every file its second name, as the shim does for new ones. */
function bury(folder: string, grave: string): Map<string, { inode: string; length: number }> {
  const found = new Map<string, { inode: string; length: number }>();
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const status = statSync(join(folder, path));
    if (status.isFile()) {
      linkSync(join(folder, path), join(grave, String(status.ino)));
      found.set(path, { inode: String(status.ino), length: status.size });
    }
  }
  return found;
}
