import { existsSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { root, sourceFiles } from "../source-files.ts";
import { allDocuments, anchorsOf, codeSpans, documentText, linksOf } from "./markdown.ts";

const documents = allDocuments();

/** From the root; a folder stands for the README in it. */
function targetOf(document: string, path: string): string {
  const target = path === "" ? document : normalize(join(dirname(document), path));
  const readme = join(target, "README.md");
  return existsSync(join(root, readme)) ? readme : target;
}

test("every link leads to a file, and to a heading of it", () => {
  const broken = documents.flatMap((document) =>
    linksOf(document)
      .filter(({ path, anchor }) => {
        const target = targetOf(document, path);
        const isThere = existsSync(join(root, target));
        return (
          !isThere || (anchor !== undefined && !(target.endsWith(".md") && anchorsOf(target).has(anchor)))
        );
      })
      .map(({ path, anchor }) => `${document}: ${path}${anchor === undefined ? "" : `#${anchor}`}`),
  );
  expect(broken).toEqual([]);
});

test("the README leads to every document, by one click or by several", () => {
  const reached = new Set<string>();
  const visit = (document: string): void => {
    if (reached.has(document)) {
      return;
    }
    reached.add(document);
    for (const { path } of documents.includes(document) ? linksOf(document) : []) {
      const target = targetOf(document, path);
      visit(target);
      if (existsSync(join(root, target)) && statSync(join(root, target)).isDirectory()) {
        documents.filter((each) => each.startsWith(target)).forEach(visit);
      }
    }
  };
  visit("README.md");
  expect(documents.filter((document) => !reached.has(document) && !document.includes("/testdata/"))).toEqual(
    [],
  );
});

test("the README's list has every document for users by itself", () => {
  const listed = new Set(linksOf("README.md").map(({ path }) => targetOf("README.md", path)));
  expect(documents.filter((document) => /^docs\/[^/]+$/.test(document) && !listed.has(document))).toEqual([]);
});

test("each requirement that a document names is proved by a test that carries its id", () => {
  const tests = sourceFiles()
    .filter(({ path, isTest }) => isTest || path.startsWith("e2e/verify-"))
    .map(({ text }) => text)
    .concat(documentText("scripts/verify-raft.sh"))
    .join("\n");
  const unproved = documents.flatMap((document) =>
    [...documentText(document).matchAll(/\bSPEC[- ]([RMSCU]\d)\b/g)]
      .map((match) => match[1] as string)
      .filter((id) => !new RegExp(`SPEC-${id}\\b`).test(tests))
      .map((id) => `${document}: SPEC-${id}`),
  );
  expect(unproved).toEqual([]);
});

test("each name of a setting, a field, a variable or a code that a document has is one of the sources'", () => {
  const sources = sourceFiles()
    .filter(({ path }) => !path.startsWith("scripts/docs/"))
    .map(({ text }) => text)
    .concat(documentText("docs/configuration.md"), documentText("docs/metrics.md"))
    .join("\n");
  const words = new Set(sources.match(/\w+/g));
  const strange = documents.flatMap((document) =>
    codeSpans(document)
      .filter((span) =>
        /^(?:[a-z]+\.)*[a-z]+(?:[A-Z][a-z0-9]+)+(?:\(\))?$|^(?:RDB|FLAREDB)_[A-Z_]+[A-Z]$/.test(span),
      )
      .filter((span) => span.match(/\w+/g)?.some((word) => !words.has(word)))
      .map((span) => `${document}: ${span}`),
  );
  expect(strange).toEqual([]);
});
