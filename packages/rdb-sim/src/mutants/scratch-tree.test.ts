import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Edit, Mutant } from "./mutant.ts";
import { ScratchTree } from "./scratch-tree.ts";

const FILE = "packages/one/src/sum.ts";
const SOURCE = "export const sum = (a: number, b: number): number => a + b;\n";

let root: string;
let tree: ScratchTree;

function mutant(...edits: readonly Edit[]): Mutant {
  return { name: "wrong-sum", breaks: "Sums are wrong.", edits, seenBy: ["simulator"] };
}

function planted(): string {
  return readFileSync(join(tree.path, FILE), "utf8");
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "flaredb-mutants-test-"));
  for (const folder of [
    "node_modules",
    "packages/one/src",
    "packages/one/dist",
    "packages/two/node_modules",
    "scripts",
  ]) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  writeFileSync(join(root, FILE), SOURCE);
  writeFileSync(join(root, "packages/one/dist/sum.js"), "");
  writeFileSync(join(root, "package.json"), "{}");
  symlinkSync("../../one", join(root, "packages/two/node_modules/one"));
  tree = await ScratchTree.copyOf(root);
});

afterEach(async () => {
  await tree.remove();
  rmSync(root, { recursive: true });
  expect(existsSync(tree.path)).toBe(false);
});

describe("a scratch tree", () => {
  test("has the sources and links among themselves, and no build output", () => {
    expect(planted()).toBe(SOURCE);
    expect(readlinkSync(join(tree.path, "packages/two/node_modules/one"))).toBe("../../one");
    expect(readlinkSync(join(tree.path, "node_modules"))).toBe(join(root, "node_modules"));
    expect(existsSync(join(tree.path, "packages/one/dist"))).toBe(false);
  });

  test("plants a mutant and takes it out again, and leaves the work tree alone", () => {
    tree.plant(
      mutant(
        { file: FILE, find: "a + b", replace: "a - b" },
        { file: FILE, find: "b: number", replace: "b = 1" },
      ),
    );
    expect(planted()).toBe("export const sum = (a: number, b = 1): number => a - b;\n");
    expect(readFileSync(join(root, FILE), "utf8")).toBe(SOURCE);
    tree.restore();
    expect(planted()).toBe(SOURCE);
  });

  test.each([
    ["number", 3],
    ["a * b", 0],
  ])("refuses a text that does not stand there once: %s", (find, count) => {
    const edits = [
      { file: FILE, find: "a + b", replace: "a - b" },
      { file: FILE, find, replace: "" },
    ];
    expect(() => tree.plant(mutant(...edits))).toThrow(
      `mutant wrong-sum: its text stands ${count} times in ${FILE}, not once:\n${find}`,
    );
    expect(planted()).toBe(SOURCE);
  });
});
