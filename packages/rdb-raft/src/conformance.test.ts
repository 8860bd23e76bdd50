import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { fileKind, runFile, type Comparison, type FileReport } from "./conformance/index.ts";

const testdata = fileURLToPath(new URL("../testdata", import.meta.url));

const files = readdirSync(testdata, { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".txt") && dirname(name) !== ".")
  .sort();

function report(name: string, comparison: Comparison): FileReport {
  const text = readFileSync(join(testdata, name), "utf8");
  return runFile(fileKind(basename(dirname(name)), text), text, comparison);
}

function describeDifferences(name: string, { differences }: FileReport): string {
  return differences
    .map(({ lineNumber, command, diff }) => `${name}:${lineNumber}: ${command}\n${diff}`)
    .join("\n\n");
}

describe("the core behaves as the data files say", () => {
  test("all of the files are there", () => {
    expect(files.filter((name) => !name.startsWith("runner"))).toHaveLength(41);
  });

  test.each(files)("%s", (name) => {
    const found = report(name, "normalised");
    expect(found.blockCount).toBeGreaterThan(0);
    expect(describeDifferences(name, found)).toBe("");
  });
});

describe("the core's log lines are those of the data files", () => {
  test.each(files)("%s", (name) => {
    expect(describeDifferences(name, report(name, "byte-exact"))).toBe("");
  });
});
