import { createRequire, stripTypeScriptTypes } from "node:module";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";
import { root } from "../source-files.ts";
import type { CodeBlock } from "./markdown.ts";

/** Where documents say that the placement driver is. */
const DOCUMENTED_PD = "127.0.0.1:7400";

/** Finds packages that users have beside ours, which the SDK's tests have too. */
const foreign = createRequire(join(root, "packages", "rdb-client", "package.json"));

/** Where the sources are of what a document imports. */
export function sourceOf(specifier: string, documentFolder: string): string {
  const [, name, part] = /^@flaredb\/([\w-]+)(?:\/([\w-]+))?$/.exec(specifier) ?? [];
  if (name !== undefined) {
    return join("packages", name, "src", part ?? "", "index.ts");
  }
  return specifier.startsWith(".")
    ? join(documentFolder, specifier)
    : relative(root, foreign.resolve(specifier));
}

/** A program of a document gets its modules and its console from here. */
type Program = (
  load: (specifier: string) => Promise<object>,
  out: { log(...parts: unknown[]): void },
) => Promise<void>;

/**
 * Runs the TypeScript of a document, all blocks as one program, against the cluster at `pdAddress`.
 *
 * @param path of the document: imports that are relative, are from its folder
 * @returns the lines that it printed
 */
export async function runBlocks(
  path: string,
  blocks: readonly CodeBlock[],
  pdAddress: string,
): Promise<string[]> {
  const code = stripTypeScriptTypes(blocks.map(({ text }) => text).join("\n"))
    .replaceAll(/import \{([^}]*)\} from "([^"]+)";/g, 'const {$1} = await load("$2");')
    .replaceAll(DOCUMENTED_PD, pdAddress);
  const program = Reflect.construct(async function () {}.constructor, ["load", "console", code]) as Program;
  const printed: string[] = [];
  const load = (specifier: string): Promise<object> => {
    const file = join(root, sourceOf(specifier, dirname(path)));
    return import(pathToFileURL(file).href) as Promise<object>;
  };
  await program(load, { log: (...parts) => void printed.push(format(...parts)) });
  return printed;
}

/** What blocks say that they print, behind `// → `. */
export function promisedLines(blocks: readonly CodeBlock[]): string[] {
  return blocks.flatMap(({ text }) => [...text.matchAll(/\/\/ → (.*)/g)].map((match) => match[1] as string));
}
