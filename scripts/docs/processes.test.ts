import { expect, test } from "vitest";
import { follow, followedDocuments } from "./follow.ts";
import { Reader } from "./reader.ts";

// The documents that a newcomer begins with start a cluster themselves: so does this, with real processes, on ports and
// in a folder of its own.

const TIMEOUT_MS = 180_000;

const documents = followedDocuments().filter(({ needsProcesses }) => needsProcesses);

test("the first pages are among them", () => {
  expect(documents.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["README.md", "docs/quickstart.md", "docs/elastic.md"]),
  );
});

test.each(documents)(
  "SPEC-U1 SPEC-U2: $path does what it says",
  { timeout: TIMEOUT_MS },
  async (document) => {
    const reader = await Reader.start({ cluster: "processes" });
    try {
      await follow(document, reader);
    } finally {
      await reader.stop();
    }
  },
);
