import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { root, sourceFiles } from "../source-files.ts";
import { callProblem } from "./check-call.ts";
import { type CodeBlock, allDocuments, codeBlocks, codeSpans, fenceCount } from "./markdown.ts";
import { isNotRun, nameOf, notRun } from "./not-run.ts";
import { shellLines, wordsOf } from "./shell.ts";

// No block of a document escapes: each is run (reader.test.ts, processes.test.ts), or stands in `notRun` with the reason
// and is held here against the programs that it calls. Commands in the middle of a sentence are held against them too.

/** What runs blocks of a language. All else has to stand in `notRun`, and is only read. */
const runnable = new Set(["sh", "ts"]);

const readers: Readonly<Record<string, (text: string) => unknown>> = {
  json: (text) =>
    text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  yaml: (text) =>
    parseAllDocuments(text).flatMap(({ errors }) =>
      errors.map((error) => {
        throw error;
      }),
    ),
  text: () => undefined,
};

const documents = allDocuments();
const blocks = documents.flatMap((document) => codeBlocks(document).map((block) => ({ document, ...block })));

function sourcesOf({ language, text }: CodeBlock): string[] {
  return language === "sh" ? shellLines(text).map(({ source }) => source) : [nameOf(text)];
}

test("documents are found, and each fence of theirs is understood", () => {
  expect(documents).toContain("docs/quickstart.md");
  expect(documents.length).toBeGreaterThan(50);
  expect(documents.filter((path) => fenceCount(path) !== 2 * codeBlocks(path).length)).toEqual([]);
});

test("a block is shell or TypeScript, or can be read and stands in notRun", () => {
  const strange = blocks.filter((block) => {
    readers[block.language]?.(block.text);
    const isRead = block.language in readers && isNotRun(block.document, nameOf(block.text));
    return !runnable.has(block.language) && !isRead;
  });
  expect(strange.map(({ document, line, language }) => `${document}:${line}: \`\`\`${language}`)).toEqual([]);
});

describe("notRun", () => {
  test("names only what documents show", () => {
    const stale = notRun.flatMap(({ document, lines }) => {
      const shown = new Set(documents.includes(document) ? codeBlocks(document).flatMap(sourcesOf) : []);
      return lines.filter((line) => !shown.has(line)).map((line) => `${document}: ${line}`);
    });
    expect(stale).toEqual([]);
  });

  test("names where each is run", () => {
    const wrong = notRun.filter(({ provedBy }) => {
      const [file = "", text = ""] = provedBy.split(/: (.*)/);
      return !existsSync(join(root, file)) || !readFileSync(join(root, file), "utf8").includes(text);
    });
    expect(wrong.map(({ document, provedBy }) => `${document}: ${provedBy}`)).toEqual([]);
  });

  test("what is no program is what its source prints: names of fields, or the first line", () => {
    const wrong = blocks
      .filter(({ language }) => language === "json")
      .flatMap(({ document, text }) => {
        const { provedBy = "" } = notRun.find((entry) => entry.lines.includes(nameOf(text))) ?? {};
        const source = readFileSync(join(root, provedBy.split(": ")[0] ?? ""), "utf8");
        const fields = Object.keys(JSON.parse(text) as object).filter((name) => !/^(level|msg)$/.test(name));
        return fields.filter((name) => !source.includes(name)).map((name) => `${document}: ${name}`);
      });
    expect(wrong).toEqual([]);
  });
});

describe("a command of a document is one that its program takes", () => {
  const shell = blocks.filter(({ language }) => language === "sh");

  test.each(shell.map((block) => ({ ...block, name: `${block.document}:${block.line}` })))(
    "$name",
    async (block) => {
      const problems: string[] = [];
      for (const { source, calls } of shellLines(block.text)) {
        for (const { words, environment } of calls) {
          const problem = await callProblem(words, { environment });
          problems.push(...(problem === undefined ? [] : [`${source}: ${problem}`]));
          problems.push(...unknownVariables(environment).map((name) => `${source}: nothing reads ${name}`));
        }
      }
      expect(problems).toEqual([]);
    },
  );

  test("in the middle of a sentence too", async () => {
    const problems: string[] = [];
    // docs/cli.md is written from the commands themselves.
    for (const document of documents.filter((path) => path !== "docs/cli.md")) {
      for (const span of codeSpans(document).filter((each) => isCommand(each))) {
        const words = wordsOf(span.split(/ …|…$/)[0] ?? "").map((word) =>
          /^[A-Z]+$/.test(word) ? "1" : word,
        );
        const problem = await callProblem(words, { isMention: true });
        problems.push(...(problem === undefined ? [] : [`${document}: \`${span}\`: ${problem}`]));
      }
    }
    expect(problems).toEqual([]);
  });
});

function isCommand(span: string): boolean {
  return /^(?:rdb|npx rdb|npm (?:run|start|test)|npx vitest|docker-compose|kubectl|systemctl)(?: |$)|^(?:scripts|deploy)\/\S+\.sh\b/.test(
    span,
  );
}

let text: string | undefined;

function unknownVariables(environment: Readonly<Record<string, string>>): string[] {
  text ??= sourceFiles()
    .filter(({ path }) => !path.startsWith("scripts/docs/"))
    .map((file) => file.text)
    .join("\n");
  return Object.keys(environment).filter((name) => !text?.includes(`"${name}"`));
}
