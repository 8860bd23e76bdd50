import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { applyEdit, type Mutant } from "./mutant.ts";
import { mutants } from "./mutants.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));

/** The mutant's files, as they are and with its edits. */
function sourcesOf(mutant: Mutant): Map<string, { readonly before: string; readonly after: string }> {
  const sources = new Map<string, { readonly before: string; readonly after: string }>();
  for (const edit of mutant.edits) {
    const before = sources.get(edit.file)?.before ?? readFileSync(join(root, edit.file), "utf8");
    const after = applyEdit(sources.get(edit.file)?.after ?? before, edit, mutant.name);
    sources.set(edit.file, { before, after });
  }
  return sources;
}

describe("the table of mutants", () => {
  test("is long enough to mean something, and names each once", () => {
    expect(mutants.length).toBeGreaterThanOrEqual(70);
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });

  test("plants bugs in every package that a cluster runs", () => {
    const planted = new Set(mutants.flatMap(({ edits }) => edits.map(({ file }) => file.split("/")[1])));
    expect([...planted].sort()).toEqual(["rdb-client", "rdb-pd", "rdb-raft", "rdb-server", "rdb-storage"]);
  });

  test.each(mutants.map((mutant) => [mutant.name, mutant] as const))("%s fits the sources", (_, mutant) => {
    expect(mutant.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(mutant.edits.length).toBeGreaterThan(0);
    for (const { before, after } of sourcesOf(mutant).values()) {
      expect(after).not.toBe(before);
      // A file that is not even TypeScript would be caught by everything, and prove nothing.
      expect(() => stripTypeScriptTypes(after)).not.toThrow();
    }
  });

  test.each(mutants.map((mutant) => [mutant.name, mutant] as const))(
    "%s is hunted with what can see it",
    (_, { edits, seenBy }) => {
      expect(seenBy.length).toBeGreaterThan(0);
      if (seenBy.includes("conformance")) {
        expect(
          edits.map(({ file }) => file).filter((file) => !file.startsWith("packages/rdb-raft/")),
        ).toEqual([]);
      }
    },
  );
});
