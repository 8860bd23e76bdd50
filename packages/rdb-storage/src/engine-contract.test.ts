import { SeededRandom, systemClock } from "@flaredb/rdb-base";
import { describe, it } from "vitest";
import { MemoryEngine } from "./memory-engine.ts";
import { openRocksEngine } from "./rocks-engine.ts";
import { engineContract } from "./testing/engine-contract.ts";
import type { EngineFixture } from "./testing/engine-fixture.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { temporaryFolder } from "./testing/temporary-folder.ts";

const onFatal = (error: Error): never => {
  throw error;
};

describe("the Engine contract, in RocksDB", { timeout: 30_000 }, () => {
  for (const { name, run } of engineContract) {
    it(name, async () => {
      const folder = temporaryFolder("contract");
      const opened: EngineFixture[] = [];
      const open = async (): Promise<EngineFixture> => {
        const engine = await openRocksEngine({ path: folder.path, clock: systemClock, onFatal });
        const fixture: EngineFixture = { engine, settle: (promise) => promise, reopen: open };
        opened.push(fixture);
        return fixture;
      };
      try {
        await run(await open());
      } finally {
        await Promise.all(opened.map(({ engine }) => engine.close()));
        folder.remove();
      }
    });
  }
});

describe("the Engine contract, in memory", { timeout: 30_000 }, () => {
  const seeds = [1, 2, 3, 4, 5];
  for (const { name, run } of engineContract) {
    it(`${name} (five seeds of slowness)`, async () => {
      for (const seed of seeds) {
        await run(memoryFixture(seed));
      }
    });
  }
});

function memoryFixture(seed: number): EngineFixture {
  const clock = new ManualClock();
  const random = new SeededRandom(seed);
  const writeDelayMs = (): number => random.nextInt(5);
  const engine = new MemoryEngine({ clock, random, onFatal, writeDelayMs });
  const fixtureOf = (opened: MemoryEngine): EngineFixture => ({
    engine: opened,
    settle: (promise) => clock.runUntil(promise),
    reopen: () => Promise.resolve(fixtureOf(opened.crash())),
  });
  return fixtureOf(engine);
}
