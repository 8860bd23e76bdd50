import { copyFileSync, mkdirSync, readFileSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Random, assert } from "@flaredb/rdb-base";

/** How far a file goes: what was written to it, and behind that zeros up to its size. Invariant: written <= size. */
interface Extent {
  readonly written: number;
  readonly size: number;
}

/** A file as the journal of sync-shim.c tells of it. */
interface FileState {
  /** What the process had made of it, after which line. */
  readonly seen: { readonly position: number; readonly extent: Extent }[];
  synced: Extent;
  /** What a crash keeps. Invariant: not less than what was synced, but for what was cut off. */
  kept: Extent;
}

interface JournalLine {
  readonly kind: string;
  readonly inode: string;
  readonly rest: string;
}

export interface CrashImageOptions {
  /** The folder that the killed process worked in, absolute. It is left alone. */
  readonly folder: string;
  /** Where sync-shim.c keeps a second name of every file. */
  readonly grave: string;
  readonly journal: string;
  /** The files that were there before, as path below the folder → inode. They count as synced. */
  readonly before: ReadonlyMap<string, { readonly inode: string; readonly length: number }>;
  /** Where to put what a crash would have kept. */
  readonly target: string;
  /**
   * How much of what was not synced is kept: none, or a prefix of random length in the order in which it was
   * written, as a file system that keeps its order may have got to.
   */
  readonly keep: "none" | "prefix";
  readonly random: Random;
}

/**
 * Builds what a machine would have kept that lost its power when the process was killed: every file cut to what of
 * it was synced, every name as of the last sync of a folder, and if asked some of what came later.
 */
export function buildCrashImage(options: CrashImageOptions): void {
  const lines = readJournal(options.journal);
  const certain = lastFolderSync(lines);
  const reached = options.keep === "none" ? 0 : options.random.nextInt(lines.length + 1);
  const names = new Map<string, string>();
  const files = new Map<string, FileState>();
  for (const [path, { inode, length }] of options.before) {
    names.set(join(options.folder, path), inode);
    files.set(inode, fileOf({ written: length, size: length }));
  }
  const folders = [options.folder];
  for (const [position, line] of lines.entries()) {
    noteContent(files, line, position, position < reached);
    if (position < Math.max(certain, reached)) {
      noteName(names, folders, line);
    }
  }
  writeImage(options, names, files, folders);
}

function readJournal(path: string): JournalLine[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((text) => {
      const [kind = "", inode = "", ...rest] = text.split(" ");
      return { kind, inode, rest: rest.join(" ") };
    });
}

/** Names are certain up to where the last sync of a folder began: file systems keep their order. */
function lastFolderSync(lines: readonly JournalLine[]): number {
  return lines.reduce((last, { kind, rest }) => (kind === "D" ? Math.max(last, Number(rest)) : last), 0);
}

function fileOf(extent: Extent): FileState {
  return { seen: [{ position: -1, extent }], synced: extent, kept: extent };
}

function noteContent(
  files: Map<string, FileState>,
  line: JournalLine,
  position: number,
  isKept: boolean,
): void {
  const { kind, inode, rest } = line;
  assert(kind !== "X", `the crash image covers what the process does, not: ${rest}`);
  if (kind === "C") {
    files.set(inode, fileOf({ written: 0, size: 0 }));
    return;
  }
  const file = files.get(inode);
  if (file === undefined) {
    return;
  }
  if (kind === "S") {
    const covered = file.seen.findLast((seen) => seen.position < Number(rest));
    assert(covered !== undefined, "a file is there before it is synced");
    file.synced = covered.extent;
    file.kept = larger(file.kept, file.synced);
    return;
  }
  const before = file.seen.at(-1)?.extent as Extent;
  const extent = changed(before, kind, Number(rest));
  if (extent === undefined) {
    return;
  }
  assert(kind !== "W" || extent.written > before.written, "only zeros are written over");
  assert(extent.written >= file.synced.written, "what was synced is not cut off");
  file.seen.push({ position, extent });
  if (isKept) {
    file.kept = kind === "T" ? extent : larger(file.kept, extent);
  } else if (kind === "T") {
    const written = Math.min(file.kept.written, extent.written);
    file.kept = { written, size: file.kept.size };
  }
}

/** Undefined: the line is not about content. */
function changed(before: Extent, kind: string, length: number): Extent | undefined {
  switch (kind) {
    case "W":
      return larger(before, { written: length, size: length });
    case "T":
      return { written: Math.min(before.written, length), size: length };
    default:
      return undefined;
  }
}

function larger(one: Extent, other: Extent): Extent {
  return { written: Math.max(one.written, other.written), size: Math.max(one.size, other.size) };
}

function noteName(names: Map<string, string>, folders: string[], { kind, inode, rest }: JournalLine): void {
  switch (kind) {
    case "C":
      names.set(rest, inode);
      break;
    case "U":
      names.delete(rest);
      break;
    case "R": {
      const [from = "", to = ""] = rest.split("\t");
      names.delete(from);
      names.set(to, inode);
      break;
    }
    case "M":
      folders.push(rest);
      break;
    default:
      // About content, not names.
      break;
  }
}

function writeImage(
  options: CrashImageOptions,
  names: ReadonlyMap<string, string>,
  files: ReadonlyMap<string, FileState>,
  folders: readonly string[],
): void {
  const inTarget = (path: string): string => join(options.target, path.slice(options.folder.length));
  for (const folder of folders) {
    mkdirSync(inTarget(folder), { recursive: true });
  }
  for (const [path, inode] of names) {
    const file = files.get(inode);
    assert(file !== undefined, "a named file has content");
    mkdirSync(dirname(inTarget(path)), { recursive: true });
    copyFileSync(join(options.grave, inode), inTarget(path));
    // What lay there before the last records did, and was not written over: zeros.
    truncateSync(inTarget(path), file.kept.written);
    truncateSync(inTarget(path), file.kept.size);
  }
}
