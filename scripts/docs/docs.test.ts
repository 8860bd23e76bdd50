import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../source-files.ts";
import { follow, followedDocuments } from "./follow.ts";
import { Reader, type ReaderOptions } from "./reader.ts";

// What documents show is what is: their commands and programs are run, in the order of the document, against a cluster
// that each has for itself. Those that start processes: processes.test.ts. What is not run at all: not-run.ts.

const TIMEOUT_MS = 90_000;

/** Where a document speaks of another cluster than three Stores that are well. */
const scenes: Readonly<Record<string, Omit<ReaderOptions, "cluster">>> = {
  "docs/operations.md": {
    stores: 5,
    before: { "npx rdb store decommission 2 --no-wait": (cluster) => cluster.killStore(2) },
  },
  "docs/disaster-recovery.md": {
    before: {
      "rdb unsafe-recover --lost-stores 1,2 --dry-run": async (cluster) => {
        await cluster.killStore(1);
        await cluster.killStore(2);
      },
    },
    typed: { "rdb unsafe-recover --lost-stores 1,2": "2\n" },
  },
};

const documents = followedDocuments().filter(({ needsProcesses }) => !needsProcesses);

test.each(documents)(
  "SPEC-U1 SPEC-U2: $path does what it says",
  { timeout: TIMEOUT_MS },
  async (document) => {
    const reader = await Reader.start({ cluster: "memory", ...scenes[document.path] });
    try {
      await follow(document, reader);
    } finally {
      await reader.stop();
    }
  },
);

test("docs/comparison.md has its figures from docs/benchmarks.md", () => {
  const figures = (text: string): string[] => text.match(/\d{1,3}(?:,\d{3})+|\d+\.\d+/g) ?? [];
  const measured = new Set(figures(readFileSync(join(root, "docs", "benchmarks.md"), "utf8")));
  const claimed = figures(readFileSync(join(root, "docs", "comparison.md"), "utf8"));
  expect(claimed.length).toBeGreaterThan(0);
  expect(claimed.filter((figure) => !measured.has(figure))).toEqual([]);
});
