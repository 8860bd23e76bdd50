import { expect, test } from "vitest";
import { completeWords } from "./complete-words.ts";
import type { CompletionNode } from "./completion-tree.ts";

const nothing = { commands: [], options: [], argumentKinds: [], isVariadic: false } as const;
const pd = { flags: ["--pd"], description: "", takesValue: true, kind: undefined } as const;
const into = { flags: ["--into"], description: "", takesValue: true, kind: "region" } as const;

const nodes: readonly CompletionNode[] = [
  { ...nothing, place: "", commands: [{ name: "region", description: "" }], options: [pd] },
  {
    ...nothing,
    place: "region",
    commands: ["merge", "scatter"].map((name) => ({ name, description: "" })),
  },
  { ...nothing, place: "region merge", options: [into, pd], argumentKinds: ["region"] },
  { ...nothing, place: "region scatter", argumentKinds: ["region"], isVariadic: true },
];

test.each<[before: string, begun: string, words: string[], kind: string | undefined]>([
  ["", "", ["region"], undefined],
  ["--pd region", "", ["region"], undefined],
  ["region", "m", ["merge", "scatter"], undefined],
  ["region merge", "", [], "region"],
  ["region merge 7", "", [], undefined],
  ["region merge 7", "--", ["--into", "--pd"], undefined],
  ["region merge 7 --into", "", [], "region"],
  ["region scatter 7 8", "", [], "region"],
  ["nonsense", "", [], undefined],
])("behind %j, %j", (before, begun, words, kind) => {
  expect(completeWords(nodes, before.split(" ").filter(Boolean), begun)).toEqual({ words, kind });
});
