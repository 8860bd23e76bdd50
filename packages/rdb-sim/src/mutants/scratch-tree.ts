import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { applyEdit, type Mutant } from "./mutant.ts";

/** What the instruments need of the work tree. */
const COPIED = ["package.json", "packages", "scripts"] as const;
/** Build output, which sources never import. */
const LEFT_OUT = new Set(["dist", "tsconfig.tsbuildinfo"]);

/**
 * A copy of the sources in the system's temporary folder, in which mutants live. The packages' links to one another
 * are relative, so that they lead to the copies; what is installed is shared with the work tree and only read.
 */
export class ScratchTree {
  readonly path: string;
  /** Sources as they were before the mutant that is planted now. */
  readonly #originals = new Map<string, string>();

  private constructor(path: string) {
    this.path = path;
  }

  /** Copies the tree at `root`: the work tree, or another scratch tree. */
  static async copyOf(root: string): Promise<ScratchTree> {
    const path = await mkdtemp(join(tmpdir(), "flaredb-mutants-"));
    const tree = new ScratchTree(path);
    try {
      for (const name of COPIED) {
        await cp(join(root, name), join(path, name), {
          recursive: true,
          // Links stay what they are.
          verbatimSymlinks: true,
          filter: (source) => !LEFT_OUT.has(basename(source)),
        });
      }
      await symlink(join(root, "node_modules"), join(path, "node_modules"));
      return tree;
    } catch (error) {
      await tree.remove();
      throw error;
    }
  }

  /** Makes a mutant's edits. @throws EditError when one does not fit; nothing is changed then */
  plant(mutant: Mutant): void {
    const mutated = new Map<string, string>();
    for (const edit of mutant.edits) {
      const source = mutated.get(edit.file) ?? readFileSync(join(this.path, edit.file), "utf8");
      mutated.set(edit.file, applyEdit(source, edit, mutant.name));
    }
    for (const [file, source] of mutated) {
      this.#originals.set(file, readFileSync(join(this.path, file), "utf8"));
      writeFileSync(join(this.path, file), source);
    }
  }

  /** Takes the mutant out again. */
  restore(): void {
    for (const [file, source] of this.#originals) {
      writeFileSync(join(this.path, file), source);
    }
    this.#originals.clear();
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true, force: true });
  }

  /** For a process that ends now. */
  removeSync(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
