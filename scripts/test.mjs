// `npm test`: every check that a change must pass, the quick ones first; stops at the first that fails.
// `npm test -- PATTERN` runs only the test files whose path contains PATTERN. Runs under Node 20, without dependencies.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { capture, environment, install, root, run, seconds } from "./workspace.mjs";

const GENERATED = join("packages", "rdb-proto", "src", "gen");

/** Each step is a name and commands; all of a step's commands must exit with 0. */
const checks = [
  ["format", [["biome", "format", "."]]],
  ["lint", [["oxlint", "--type-aware", "--deny-warnings"]]],
  [
    "types",
    [
      ["tsc", "-b"],
      ["tsc", "-p", "tsconfig.test.json"],
    ],
  ],
  ["dead code", [["knip", "--no-config-hints"]]],
  ["proto lint", [["buf", "lint", "proto"]]],
];

async function check(name, commands) {
  const startedMs = Date.now();
  for (const [program, ...args] of commands) {
    const { code, output } = await capture(program, args);
    if (code !== 0) {
      fail(name, output, `\`npx ${[program, ...args].join(" ")}\` exited with ${code}`);
    }
  }
  passed(name, startedMs);
}

// The generated code is committed; what buf would write now has to be the same.
async function checkGenerated() {
  const startedMs = Date.now();
  const folder = mkdtempSync(join(tmpdir(), "flaredb-generated-"));
  try {
    const generated = await capture("buf", [
      "generate",
      "proto",
      "--template",
      "proto/buf.gen.yaml",
      "-o",
      folder,
    ]);
    if (generated.code !== 0) {
      fail("generated code", generated.output, "buf generate failed");
    }
    const { code, output } = await capture("diff", ["-ru", join(root, GENERATED), join(folder, GENERATED)]);
    if (code !== 0) {
      fail("generated code", output, `${GENERATED} is not what proto/ says: run \`npm run generate\``);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  passed("generated code", startedMs);
}

function passed(name, startedMs) {
  console.log(`✓ ${name.padEnd(16)} ${seconds(startedMs)}`);
}

function fail(name, output, reason) {
  console.error(`${output}\n✗ ${name}: ${reason}`);
  process.exit(1);
}

const patterns = process.argv.slice(2);
await install();
if (patterns.length === 0) {
  for (const [name, commands] of checks) {
    await check(name, commands);
  }
  await checkGenerated();
}
process.exitCode = await run("vitest", ["run", ...patterns], { env: environment });
