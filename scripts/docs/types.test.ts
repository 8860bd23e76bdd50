import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { typeProblems } from "../type-problems.ts";
import { type CodeBlock, allDocuments, codeBlocks } from "./markdown.ts";
import { sourceOf } from "./run-program.ts";

const TIMEOUT_MS = 300_000;

/** As users have it: strict, against the published types, which are those of the sources. */
const tsconfig = {
  extends: "../../tsconfig.base.json",
  compilerOptions: {
    ...{ composite: false, declaration: false, sourceMap: false, noEmit: true, rootDir: "/" },
    // A document need not use all that it shows.
    noUnusedLocals: false,
  },
  include: ["*.ts"],
};

/** A document's blocks as one module, at the lines that they have in the document. */
function moduleOf(document: string, blocks: readonly CodeBlock[]): string {
  let text = "";
  for (const block of blocks) {
    const written = text.split("\n").length;
    text += "\n".repeat(Math.max(0, block.line + 1 - written)) + block.text;
  }
  return text.replaceAll(/(?<=from ")[^"]+(?=")/g, (specifier) =>
    join("..", "..", sourceOf(specifier, dirname(document))).replaceAll("\\", "/"),
  );
}

test("the TypeScript of documents has the types that it needs", { timeout: TIMEOUT_MS }, async () => {
  const programs = allDocuments()
    .map((document) => [document, codeBlocks(document).filter(({ language }) => language === "ts")] as const)
    .filter(([, blocks]) => blocks.length > 0);
  const modules = programs.map(([document, blocks]) => [
    document.replaceAll("/", "--").replace(/\.md$/, ".ts"),
    moduleOf(document, blocks),
  ]);
  const wrong =
    'import { RdbClient } from "../../packages/rdb-client/src/index.ts";\nRdbClient.connect({ pd: 7 });\n';
  const problems = await typeProblems({ ...Object.fromEntries(modules), "wrong.ts": wrong }, tsconfig);
  // One of them is wrong on purpose, so that all are looked at in earnest.
  expect(problems.filter((line) => line.startsWith("wrong.ts"))).toHaveLength(1);
  expect(problems.filter((line) => /^\S/.test(line) && !line.startsWith("wrong.ts"))).toEqual([]);
});
