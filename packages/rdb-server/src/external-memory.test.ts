import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { countExternalMemoryAsHeap } from "./external-memory.ts";

describe("memory outside of V8's heap", () => {
  it("is counted by a flag that the Node of this workspace knows", () => {
    const module = new URL("external-memory.ts", import.meta.url).href;
    const program = `const { countExternalMemoryAsHeap } = await import(${JSON.stringify(module)}); console.log(countExternalMemoryAsHeap());`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
    });
    expect({ stdout: stdout.trim(), stderr }).toEqual({ stdout: "true", stderr: "" });
  });

  it("is left to a V8 that does not know the flag", () => {
    expect(countExternalMemoryAsHeap("12.4.254.21-node.33")).toBe(false);
  });
});
