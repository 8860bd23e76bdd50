// `npm run measure:tls`: what mutual TLS costs: the CPU time of a put and of a get, in the Stores and in the client, on two
// clusters of three Stores side by side, with it and without, in turns. CPU time and medians: what else a machine does
// falls out. docs/security.md has the figures of one run.
// usage: npm run measure:tls -- [--rounds 7] [--calls 20000] [--value-bytes 128]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { RdbClient } from "@flaredb/rdb-client";
import { TestCluster } from "./cluster.ts";
import { wholeFlag } from "./flags.ts";
import { rdb } from "./run-cli.ts";
import { median } from "./scale/goals.ts";
import { cpuSeconds } from "./scale/process-usage.ts";

const CONCURRENCY = 64;
const OWNERS = [...["pd", "store-1", "store-2", "store-3"].map((name) => `${name}=127.0.0.1`), "client"];
const MICROS = 1_000_000;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    calls: { type: "string", default: "20000" },
    "value-bytes": { type: "string", default: "128" },
  },
});
const roundCount = wholeFlag("rounds", flags.rounds);
const callCount = wholeFlag("calls", flags.calls);
const value = "x".repeat(wholeFlag("value-bytes", flags["value-bytes"]));

interface Side {
  readonly name: string;
  readonly cluster: TestCluster;
  readonly client: RdbClient;
}

/** CPU microseconds of one call. */
interface Cost {
  readonly stores: number;
  readonly client: number;
  readonly callsPerSecond: number;
}

const folder = mkdtempSync(join(tmpdir(), "flaredb-measure-tls-"));
const clusters: TestCluster[] = [];
try {
  await main();
} finally {
  await Promise.all(clusters.map((cluster) => cluster.dispose()));
  rmSync(folder, { recursive: true });
}

async function main(): Promise<void> {
  const made = await rdb(["cert", "create", "--dir", folder, ...OWNERS]);
  if (made.exitCode !== 0) {
    throw new Error(made.stderr);
  }
  const sides = [await start("plain"), await start("mutual TLS", folder)] as const;
  const costs = new Map<string, Cost[]>();
  // The first round warms up.
  for (let round = 0; round <= roundCount; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      for (const kind of ["put", "get"] as const) {
        const cost = await measure(side, kind);
        if (round > 0) {
          const name = `${kind} ${side.name}`;
          costs.set(name, [...(costs.get(name) ?? []), cost]);
        }
      }
    }
  }
  console.log("| | Stores, µs | client, µs | calls/s |\n| --- | ---: | ---: | ---: |");
  for (const [name, all] of [...costs].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const [stores, client, rate] = (["stores", "client", "callsPerSecond"] as const).map((part) =>
      Math.round(median(all.map((cost) => cost[part]))),
    );
    console.log(`| ${name} | ${stores} | ${client} | ${rate} |`);
  }
}

async function start(name: string, certificates?: string): Promise<Side> {
  const cluster = await TestCluster.start(certificates === undefined ? {} : { certificates });
  clusters.push(cluster);
  return { name, cluster, client: await cluster.connect() };
}

async function measure({ cluster, client }: Side, kind: "put" | "get"): Promise<Cost> {
  const storesBefore = storeSeconds(cluster);
  const ownBefore = process.cpuUsage();
  const startedMs = performance.now();
  let next = 0;
  const work = async (): Promise<void> => {
    for (let call = next++; call < callCount; call = next++) {
      await (kind === "put" ? client.put(`key-${call}`, value) : client.get(`key-${call}`));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  const tookMs = performance.now() - startedMs;
  const own = process.cpuUsage(ownBefore);
  return {
    stores: ((storeSeconds(cluster) - storesBefore) * MICROS) / callCount,
    client: (own.user + own.system) / callCount,
    callsPerSecond: (callCount * 1_000) / tookMs,
  };
}

function storeSeconds({ stores }: TestCluster): number {
  return stores.reduce((sum, { pid }) => sum + cpuSeconds(pid ?? 0), 0);
}
