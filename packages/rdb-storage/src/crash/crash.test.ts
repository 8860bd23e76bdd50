import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../testing/temporary-folder.ts";
import { runCrashChain } from "./crash-run.ts";
import { buildShim } from "./watched-folder.ts";

// Linux only, as production is: the shim is a preloaded library.

/** Five chains of ten lives. To repeat a failure: FLAREDB_CRASH_SEED=<the seed in the test's name>. */
const CHAINS = 5;
const LIVES = 10;
const firstSeed = Number(process.env["FLAREDB_CRASH_SEED"] ?? Date.now() % 1_000_000);
const TIMEOUT_MS = 60_000;

describe("a crash of a process that writes", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let shim: string;
  beforeAll(() => {
    folder = temporaryFolder("crash");
    shim = buildShim(folder.path);
  });
  afterAll(() => folder.remove());

  function workFolder(name: string): string {
    const path = join(folder.path, name);
    mkdirSync(path);
    return path;
  }

  for (let chain = 0; chain < CHAINS; chain++) {
    const seed = firstSeed + chain;
    it(
      `SPEC-R3 SPEC-R4 SCENARIO-9: leaves a prefix of the history with everything acknowledged in it (seed ${seed})`,
      async () => {
        const steps = await runCrashChain({
          workFolder: workFolder(`chain-${chain}`),
          seed,
          lives: LIVES,
          sync: true,
          shim,
        });
        expect(steps).toBeGreaterThan(0);
      },
      TIMEOUT_MS,
    );
  }

  it(
    `SPEC-R3 SPEC-R4 SCENARIO-9: leaves the same when only the process dies (seed ${firstSeed})`,
    async () => {
      const chain = { workFolder: workFolder("kill"), seed: firstSeed, lives: LIVES / 2, sync: true };
      expect(await runCrashChain({ ...chain, shim: undefined })).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    "would be seen to lose acknowledged steps if nothing were synced",
    async () => {
      const chain = { workFolder: workFolder("no-sync"), seed: 1, lives: LIVES, sync: false, shim };
      await expect(runCrashChain(chain)).rejects.toThrow(/was called durable, but only \d+ steps are there/);
    },
    TIMEOUT_MS,
  );
});
