// `npm run bench`: puts and gets through the SDK against a running cluster, a TSV row for each case, in the columns of
// common load generators: op clients ops_per_second p50_ms p99_ms. `get` is a linearizable read.
// usage: npm run bench -- [--clients 1,64,256] [--ops put,get] [--seconds 5] [--pd HOST:PORT]
import { parseArgs } from "node:util";
import { RdbClient } from "../packages/rdb-client/src/index.ts";

const KEY_BYTES = 16;
const VALUE_BYTES = 256;
const KEY_SPACE = 1_000_000;
const WARM_UP_MS = 1_000;

const { values: flags } = parseArgs({
  options: {
    clients: { type: "string", default: "1,64,256" },
    ops: { type: "string", default: "put,get" },
    seconds: { type: "string", default: "5" },
    pd: { type: "string", default: process.env["RDB_PD"] ?? "127.0.0.1:7400" },
  },
});

const operations: Readonly<Record<string, (client: RdbClient) => Promise<unknown>>> = {
  put: (client) => client.put(randomKey(), value),
  get: (client) => client.get(randomKey()),
};

const value = new Uint8Array(VALUE_BYTES).fill(0x2e);

// A prefix keeps the benchmark's keys together and apart from others'.
function randomKey(): string {
  return `bench/${Math.floor(Math.random() * KEY_SPACE)
    .toString()
    .padStart(KEY_BYTES - "bench/".length, "0")}`;
}

/** Keeps `concurrency` calls in flight for `durationMs`; returns each call's time. */
async function load(
  client: RdbClient,
  call: (client: RdbClient) => Promise<unknown>,
  concurrency: number,
  durationMs: number,
): Promise<Float64Array> {
  const times: number[] = [];
  const endMs = performance.now() + durationMs;
  const worker = async (): Promise<void> => {
    for (let startedMs = performance.now(); startedMs < endMs; ) {
      await call(client);
      const answeredMs = performance.now();
      times.push(answeredMs - startedMs);
      startedMs = answeredMs;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return Float64Array.from(times).sort();
}

function percentile(sorted: Float64Array, fraction: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0).toFixed(2);
}

const durationMs = Number(flags.seconds) * 1000;
const client = await RdbClient.connect({ pd: flags.pd.split(",") });
console.log(["op", "clients", "ops_per_second", "p50_ms", "p99_ms"].join("\t"));
for (const op of flags.ops.split(",")) {
  const call = operations[op];
  if (call === undefined) {
    throw new Error(`--ops ${op} must be put or get`);
  }
  for (const clients of flags.clients.split(",").map(Number)) {
    await load(client, call, clients, WARM_UP_MS);
    const startedMs = performance.now();
    const times = await load(client, call, clients, durationMs);
    const rate = Math.round((times.length * 1000) / (performance.now() - startedMs));
    console.log([op, clients, rate, percentile(times, 0.5), percentile(times, 0.99)].join("\t"));
  }
}
client.close();
