import { expect, test } from "vitest";
import { splitLine } from "./split-line.ts";

test.each<[string, string[]]>([
  ["", []],
  ["  put  a\t1 ", ["put", "a", "1"]],
  [`put 'a b' "c \\"d\\""`, ["put", "a b", 'c "d"']],
  [`put a\\ b 'it\\s'`, ["put", "a b", "it\\s"]],
  [`put "" ''`, ["put", "", ""]],
  [`put pre"fix"'ed' ünï`, ["put", "prefixed", "ünï"]],
  ["put a\\", ["put", "a\\"]],
])("%j", (line, words) => {
  expect(splitLine(line)).toEqual(words);
});

test("a quote that is not closed is named", () => {
  expect(() => splitLine("put 'a")).toThrow("the line has a ' that is not closed");
});
