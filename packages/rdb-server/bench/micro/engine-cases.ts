import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@flaredb/rdb-base";
import { type Engine, WritePart, openRocksEngine } from "@flaredb/rdb-storage";
import { BATCH_COUNT, type MicroCase, sampleKey, sampleValue } from "./micro-case.ts";

const KEY_COUNT = 100_000;
const FILL_PART_COUNT = 1_000;
const BATCHES_COUNT = 1_000;
/** Without a divisor in common with the count: its multiples visit every key. */
const KEY_STRIDE = 61_803;

/** The engine alone, on a disk: what a Store asks of it for a batch. */
export const engineCases: readonly MicroCase[] = [
  engineCase("engine, batch of puts", BATCH_COUNT, (engine) => () => write(engine, nextBatch(), false)),
  engineCase(
    "engine, batch of puts, synced",
    BATCH_COUNT,
    (engine) => () => write(engine, nextBatch(), true),
  ),
  engineCase("engine, point get", 1, (engine) => () => engine.get("data", nextBatch()[0] as Uint8Array)),
  engineCase("engine, getMany", BATCH_COUNT, (engine) => () => engine.getMany("data", nextBatch())),
];

// Made before, so that the engine alone is measured. Neighbours in a batch are far apart in the key space.
const batches = Array.from({ length: BATCHES_COUNT }, (_, batch) =>
  Array.from({ length: BATCH_COUNT }, (_, at) =>
    sampleKey(((batch * BATCH_COUNT + at) * KEY_STRIDE) % KEY_COUNT),
  ),
);
const value = sampleValue();
let batchesTaken = 0;

function nextBatch(): readonly Uint8Array[] {
  return batches[batchesTaken++ % BATCHES_COUNT] as Uint8Array[];
}

function write(engine: Engine, keys: readonly Uint8Array[], sync: boolean): Promise<void> {
  const part = new WritePart();
  part.sync = sync;
  for (const key of keys) {
    part.put("data", key, value);
  }
  return new Promise((resolve) => engine.submit(part, resolve));
}

function engineCase(name: string, operations: number, makeRun: (engine: Engine) => () => unknown): MicroCase {
  return {
    name,
    operations,
    prepare: async () => {
      const folder = await mkdtemp(join(tmpdir(), "flaredb-micro-"));
      const engine = await openRocksEngine({
        path: join(folder, "data"),
        clock: systemClock,
        onFatal: (error) => {
          throw error;
        },
      });
      for (let id = 0; id < KEY_COUNT; id += FILL_PART_COUNT) {
        const keys = Array.from({ length: FILL_PART_COUNT }, (_, at) => sampleKey(id + at));
        await write(engine, keys, false);
      }
      return {
        run: makeRun(engine),
        dispose: async () => {
          await engine.close();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  };
}
