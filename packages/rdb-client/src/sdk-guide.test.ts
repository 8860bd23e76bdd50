import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { format } from "node:util";
import { expect, test } from "vitest";
import * as sdk from "./index.ts";
import { WireCluster } from "./testing/wire-cluster.ts";

const guide = readFileSync(new URL("../../../docs/sdk.md", import.meta.url), "utf8");
const DOCUMENTED_PD = "127.0.0.1:7400";

/** What a program of the guide gets instead of its imports and its console. */
type Program = (given: typeof sdk, out: { log(...parts: unknown[]): void }) => Promise<void>;

/** All blocks as one program, on the given placement driver. */
function guideProgram(blocks: readonly string[], pdAddress: string): Program {
  const code = stripTypeScriptTypes(blocks.join("\n"))
    .replaceAll(/import \{([^}]*)\} from "@flaredb\/rdb-client";/g, "const {$1} = sdk;")
    .replaceAll(DOCUMENTED_PD, pdAddress);
  return Reflect.construct(async function () {}.constructor, ["sdk", "console", code]) as Program;
}

test("SPEC-U2: the guide's blocks run as one program, and print what they say", async () => {
  const blocks = [...guide.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1] as string);
  expect(blocks.length).toBeGreaterThan(5);
  // No block of another kind: it would not be run.
  expect(guide.match(/^```/gm)).toHaveLength(2 * blocks.length);
  const promised = [...blocks.join("").matchAll(/\/\/ → (.*)/g)].map((match) => match[1]);
  const cluster = await WireCluster.start();
  const printed: string[] = [];
  try {
    const program = guideProgram(blocks, cluster.pdAddress);
    await program(sdk, { log: (...parts) => void printed.push(format(...parts)) });
  } finally {
    await cluster.stop();
  }
  expect(printed).toEqual(promised);
});
