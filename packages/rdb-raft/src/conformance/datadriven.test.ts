import { describe, expect, test } from "vitest";
import { flagOf, numbersOf, positionalNumbers, valueOf } from "./command-line.ts";
import { parseBlocks } from "./datadriven.ts";
import { UnreadableFileError } from "./script-error.ts";

describe("parseBlocks", () => {
  test("cuts a file at blank lines and leaves comments between blocks out", () => {
    const [first, second, ...rest] = parseBlocks(
      ["# why", "tick 1", "----", "ok", "", "", "# more", "show", "a b", "----", "x", "  y", ""].join("\n"),
    );
    expect(first).toMatchObject({ command: "tick", lineNumber: 2, input: "", expected: "ok\n" });
    expect(second).toMatchObject({ command: "show", lineNumber: 8, input: "a b", expected: "x\n  y\n" });
    expect(rest).toEqual([]);
  });

  test("keeps a line that begins with # inside of the output", () => {
    expect(parseBlocks("show\n----\n# not a comment\n")[0]?.expected).toBe("# not a comment\n");
  });

  test("output that begins with a second separator may hold blank lines", () => {
    const blocks = parseBlocks("show\n----\n----\na\n\nb\n----\n----\n\nnext\n----\nok\n");
    expect(blocks.map((block) => block.expected)).toEqual(["a\n\nb\n", "ok\n"]);
  });

  test("joins a command line that ends with a backslash", () => {
    expect(parseBlocks("add 1 \\\n  voters=(1,2)\n----\nok\n")[0]?.text).toBe("add 1  voters=(1,2)");
  });

  test("reads bare, single and listed arguments", () => {
    const [block] = parseBlocks("add 3 7 voters=(1, 2) learners=() async=true drop=4\n----\nok\n");
    expect(block).toBeDefined();
    if (block !== undefined) {
      expect(positionalNumbers(block)).toEqual([3, 7]);
      expect(numbersOf(block, "voters")).toEqual([1, 2]);
      expect(numbersOf(block, "learners")).toEqual([]);
      expect(numbersOf(block, "drop")).toEqual([4]);
      expect(flagOf(block, "async")).toBe(true);
      expect(valueOf(block, "missing")).toBeUndefined();
    }
  });

  test("names the line and column of an argument that cannot be read", () => {
    const message = "column 4: expected key, key=value or key=(value,value) in: add =3";
    expect(() => parseBlocks("\nadd =3\n----\nok\n")).toThrow(new UnreadableFileError(2, message));
  });
});
