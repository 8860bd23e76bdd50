import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** One TypeScript source of the repository. */
export interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string;
  /** The workspace package that it belongs to, without scope: `rdb-raft`, `e2e`; or `examples`, `scripts`. */
  readonly packageName: string;
  readonly isTest: boolean;
  readonly text: string;
  readonly lines: readonly string[];
}

/** Every TypeScript and JavaScript source that people write: no generated code, no build output. */
export function sourceFiles(): SourceFile[] {
  const folders = [...packageNames().map((name) => join("packages", name)), "e2e", "examples", "scripts"];
  return folders.flatMap((folder) => {
    return filesBelow(folder)
      .filter((path) => /\.(tsx?|mjs)$/.test(path) && !/(^|\/)gen\//.test(path))
      .map((path) => sourceFile(path, folder));
  });
}

/** Every file below a folder, from the root: no dependencies, no build output, nothing behind a link. */
export function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) {
      return entry.isFile() ? [path] : [];
    }
    return entry.name === "node_modules" || entry.name === "dist" ? [] : filesBelow(path);
  });
}

/** The names of the folders in packages/. */
export function packageNames(): string[] {
  const entries = readdirSync(join(root, "packages"), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

function sourceFile(path: string, folder: string): SourceFile {
  const text = readFileSync(join(root, path), "utf8");
  return {
    path,
    packageName: folder.replace(/^packages\//, ""),
    isTest: path.endsWith(".test.ts"),
    text,
    lines: text.split("\n"),
  };
}

/** What a source imports, by static or dynamic `import`: the specifiers as written. */
export function importsOf(file: SourceFile): string[] {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)"([^"]+)"/g;
  return [...file.text.matchAll(pattern)].map((match) => match[1] as string);
}
