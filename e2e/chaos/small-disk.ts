import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";

/** The file that leaves no room. */
export const FILLER = "filler";

/** A file system of its own for the data of one process, in memory, so that it can be filled. */
export class SmallDisk {
  readonly folder: string;

  /** @returns undefined where nobody may mount */
  static mount(folder: string, sizeBytes: number): SmallDisk | undefined {
    mkdirSync(folder, { recursive: true });
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", folder], { stdio: "pipe" });
      return new SmallDisk(folder);
    } catch {
      // No privileges, or no such program: the run says which nemesis it leaves out.
      return undefined;
    }
  }

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Leaves so many bytes free. */
  fill(leftBytes: number): void {
    const { bavail, bsize } = statfsSync(this.folder);
    const bytes = Math.max(bsize, bavail * bsize - leftBytes);
    execFileSync("fallocate", ["--length", String(bytes), join(this.folder, FILLER)], { stdio: "pipe" });
  }

  empty(): void {
    rmSync(join(this.folder, FILLER), { force: true });
  }

  unmount(): void {
    execFileSync("umount", [this.folder], { stdio: "pipe" });
  }
}
