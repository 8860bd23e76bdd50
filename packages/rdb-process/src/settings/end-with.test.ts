import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";

const program = `
  import { endWith } from ${JSON.stringify(new URL("configure.ts", import.meta.url).href)};
  process.stdin.resume().once("end", () => endWith({ stdout: "much\\n", stderr: "", exitCode: 0 }));
`;

test("a reader that has gone is no failure", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program]);
  const exited = once(child, "exit");
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const closed = once(child.stdout, "close");
  child.stdout.destroy();
  await closed;
  child.stdin.end();
  expect(await exited).toEqual([0, null]);
  expect(stderr).toBe("");
});
