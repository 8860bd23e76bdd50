// `npm run measure:start`: how soon a Store with much data serves, after kill -9 and after a stop in good order, and
// what memory it takes to start and to be read all over. One Store with one replica: a start does not depend on others.
// Prints a table for docs/scale.md; exits with 1 when a goal is missed.
// The fill ends after --fill-seconds, and the table says what was written till then; the disk needs about 1.5x that.
// usage: npm run measure:start -- [--bytes 20GiB] [--value-bytes 16384] [--reads 20000] [--fill-seconds 3600]
import { parseArgs } from "node:util";
import type { RdbClient } from "@flaredb/rdb-client";
import type { TestStore } from "./cluster.ts";
import { ElasticCluster } from "./elastic/elastic-cluster.ts";
import { parseBytes } from "./elastic/parse-bytes.ts";
import { SeededRows } from "./elastic/seeded-rows.ts";
import { positiveFlag, wholeFlag } from "./flags.ts";
import { ProgressBar } from "./progress-bar.ts";
import { type Measured, allMet, renderMeasured } from "./scale/goals.ts";
import { residentBytes } from "./scale/process-usage.ts";
import { splitKeys } from "./scale/scale-cluster.ts";

const SEED = 20_260_601;
/** As many as there would be once they had grown to the size at which they are split. */
const REGION_BYTES = 96 * 2 ** 20;
const REGION_SPLIT_BYTES = 1024 * 2 ** 20;
const BATCH_BYTES = 1 * 2 ** 20;
const FILL_CONCURRENCY = 8;
const READ_CONCURRENCY = 64;
const DEADLINE_MS = 120_000;
/** What a Store takes beside its caches: program, threads, memtables, heap. */
const FIXED_MIB = 600;
const BLOCK_CACHE_BYTES = 256 * 2 ** 20;
const MEBIBYTE = 2 ** 20;

const { values: flags } = parseArgs({
  options: {
    bytes: { type: "string", default: "20GiB" },
    "value-bytes": { type: "string", default: "16384" },
    reads: { type: "string", default: "20000" },
    "fill-seconds": { type: "string", default: "3600" },
  },
});
const totalBytes = parseBytes(flags.bytes);
const fillSeconds = positiveFlag("fill-seconds", flags["fill-seconds"]);
const readCount = wholeFlag("reads", flags.reads, 0);
const rows = new SeededRows(SEED, wholeFlag("value-bytes", flags["value-bytes"]));
const rowMaxCount = Math.ceil(totalBytes / rows.valueBytes);
/** Rows that were written. */
let rowCount = 0;
const regionCount = Math.max(2, Math.ceil(totalBytes / REGION_BYTES));

const startSeconds: number[] = [];
const startedMebibytes: number[] = [];
const readMebibytes: number[] = [];
const cluster = await ElasticCluster.start({
  bootstrapStores: 1,
  pdConfig: { replicas: 1, initialSplitKeys: evenKeys(), logLevel: "warn" },
  storeConfig: {
    logLevel: "warn",
    regionSplitSizeBytes: REGION_SPLIT_BYTES,
    engine: { blockCacheBytes: BLOCK_CACHE_BYTES },
  },
  servingTimeoutMs: DEADLINE_MS,
});
try {
  const store = cluster.stores[0] as TestStore;
  await fill(await cluster.connect());
  await store.kill();
  await startAndRead("kill -9", store);
  await store.stop();
  await startAndRead("a stop", store);
} finally {
  for (const end of cluster.unexpectedEnds()) {
    console.error(end);
    process.exitCode = 1;
  }
  await cluster.dispose();
}
const memoryGoal = { worst: FIXED_MIB + BLOCK_CACHE_BYTES / MEBIBYTE };
const measured: Measured[] = [
  { what: "from start to serving", unit: "s", values: startSeconds, goal: { worst: 10 } },
  { what: "resident memory once it serves", unit: "MiB", values: startedMebibytes, goal: memoryGoal },
  {
    what: `resident memory after ${readCount} reads all over`,
    unit: "MiB",
    values: readMebibytes,
    goal: memoryGoal,
  },
];
console.log(
  renderMeasured(
    `A Store with ${((rowCount * rows.valueBytes) / 2 ** 30).toFixed(1)} GiB in ${regionCount} Regions, block cache ${BLOCK_CACHE_BYTES / MEBIBYTE} MiB`,
    measured,
  ),
);
process.exitCode ??= allMet(measured) ? 0 : 1;

/** Keys begin with eight hexadecimal digits, evenly spread. */
function evenKeys(): string[] {
  return splitKeys(regionCount).map((_, at) =>
    Math.floor(((at + 1) / regionCount) * 2 ** 32)
      .toString(16)
      .padStart(8, "0"),
  );
}

async function fill(client: RdbClient): Promise<void> {
  const perBatch = Math.max(1, Math.floor(BATCH_BYTES / rows.valueBytes));
  const bar = new ProgressBar("batches written", Math.ceil(rowMaxCount / perBatch));
  const deadlineMs = performance.now() + fillSeconds * 1000;
  const write = async (): Promise<void> => {
    while (rowCount < rowMaxCount && performance.now() < deadlineMs) {
      const first = rowCount;
      rowCount = Math.min(rowMaxCount, rowCount + perBatch);
      const batch = Array.from({ length: rowCount - first }, (_, at) => ({
        key: rows.key(first + at),
        value: rows.value(first + at),
      }));
      await client.batchPut(batch, { deadlineMs: DEADLINE_MS });
      bar.advance();
    }
  };
  await Promise.all(Array.from({ length: FILL_CONCURRENCY }, write));
  bar.finish();
}

async function startAndRead(after: string, store: TestStore): Promise<void> {
  const begunMs = performance.now();
  await store.launch();
  const launchedMs = performance.now();
  const client = await cluster.connect();
  await client.get(rows.key(0), { deadlineMs: DEADLINE_MS });
  startSeconds.push((performance.now() - begunMs) / 1000);
  startedMebibytes.push(residentMebibytes(store));
  await readAllOver(client);
  readMebibytes.push(residentMebibytes(store));
  console.error(
    `after ${after}: ready in ${((launchedMs - begunMs) / 1000).toFixed(2)} s, first read answered in ${startSeconds.at(-1)?.toFixed(2)} s, ` +
      `${startedMebibytes.at(-1)?.toFixed(0)} MiB resident, ${readMebibytes.at(-1)?.toFixed(0)} MiB after reads`,
  );
}

async function readAllOver(client: RdbClient): Promise<void> {
  let next = 0;
  const read = async (): Promise<void> => {
    while (next < readCount) {
      const sequence = Math.floor((next++ * rowCount) / readCount);
      const found = await client.get(rows.key(sequence), { deadlineMs: DEADLINE_MS });
      if (found === undefined || Buffer.compare(found.value, rows.value(sequence)) !== 0) {
        throw new Error(`${rows.key(sequence)} is not there as it was written`);
      }
    }
  };
  await Promise.all(Array.from({ length: READ_CONCURRENCY }, read));
}

function residentMebibytes(store: TestStore): number {
  return residentBytes(store.pid as number) / MEBIBYTE;
}
