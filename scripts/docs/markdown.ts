import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { filesBelow, root } from "../source-files.ts";

/** A fenced block of a document. */
export interface CodeBlock {
  /** `ts`, `sh`, or what else stands behind the fence. */
  readonly language: string;
  /** Without the indentation of the list that it stands in. */
  readonly text: string;
  /** Of its first fence, from 1. */
  readonly line: number;
}

/** A link of a document to something of this repository. */
export interface Link {
  /** As written, without the anchor: from the document's folder; empty: the document itself. */
  readonly path: string;
  /** Behind `#`; undefined: there is none. */
  readonly anchor: string | undefined;
}

/** Every document of the repository, from its root, sorted. */
export function allDocuments(): string[] {
  const folders = ["deploy", "docs", "e2e", "examples", "packages", "proto", "scripts"];
  const paths = [...readdirSync(root), ...folders.flatMap(filesBelow)];
  return paths.filter((path) => path.endsWith(".md")).sort();
}

export function documentText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

const FENCED = /^([ \t]*)```(.*)\n([\s\S]*?)^\1```[ \t]*$/gm;

/** The fenced blocks of a document, in order. */
export function codeBlocks(path: string): CodeBlock[] {
  const text = documentText(path);
  return [...text.matchAll(FENCED)].map(([, indent = "", language = "", block = ""], at) => ({
    language: language.trim(),
    text: block.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    line: lineOfFence(text, at),
  }));
}

function lineOfFence(text: string, at: number): number {
  const match = [...text.matchAll(FENCED)][at];
  return text.slice(0, match?.index).split("\n").length;
}

/** How many fences a document has: two for each block, or one of them was not understood. */
export function fenceCount(path: string): number {
  return documentText(path).match(/^[ \t]*(?:```|~~~)/gm)?.length ?? 0;
}

/** What stands between single backticks, line breaks taken for spaces. */
export function codeSpans(path: string): string[] {
  const prose = documentText(path).replaceAll(FENCED, "");
  return [...prose.matchAll(/(?<!`)`([^`]+)`(?!`)/g)].map((match) =>
    (match[1] as string).replaceAll(/\s+/g, " "),
  );
}

/** The links to files and anchors of this repository, pictures among them. */
export function linksOf(path: string): Link[] {
  const prose = documentText(path)
    .replaceAll(FENCED, "")
    .replaceAll(/`[^`]*`/g, "");
  const targets = [
    ...prose.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g),
    ...prose.matchAll(/(?:src|href)="([^"]+)"/g),
    ...prose.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm),
  ].map((match) => match[1] as string);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = "", anchor] = target.split("#");
      return { path: file, anchor };
    });
}

/** The anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(path: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title = ""] of documentText(path)
    .replaceAll(FENCED, "")
    .matchAll(/^#{1,6} +(.*?)\s*#*$/gm)) {
    const plain = title
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replaceAll("\\", "")
      .toLowerCase();
    const slug = plain.replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-");
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again++) {
      anchor = `${slug}-${again}`;
    }
    anchors.add(anchor);
  }
  return anchors;
}
