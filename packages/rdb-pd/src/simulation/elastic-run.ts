import {
  GiB,
  MINUTE_MS,
  MiB,
  SECOND_MS,
  SeededRandom,
  type StoreId,
  regionId,
  storeId,
} from "@flaredb/rdb-base";
import { NO_LOAD } from "../cluster/region-info.ts";
import { ModelCluster } from "./model-cluster.ts";
import { leaderSpread, regionSpread, spreadOf, upStores } from "./spread.ts";
import { addTiledRegions } from "./tiled-regions.ts";

export interface ElasticOptions {
  readonly storeCount: number;
  readonly regionCount: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

/** How the cluster is at a moment of the model's time. */
interface ElasticSample {
  readonly atMs: number;
  /** Regions with fewer than three voters on Stores that are up. */
  readonly hurtCount: number;
  readonly operatorCount: number;
  readonly newStoreRegionCount: number;
  readonly regionDeviation: number;
  readonly leaderDeviation: number;
  /** The Store that is read most, as a multiple of the mean. */
  readonly hottest: number;
}

export interface ElasticResult {
  readonly samples: readonly ElasticSample[];
  /** When no Region was hurt any more, since the loss. */
  readonly repairedAfterMs: number;
  readonly isQuiet: boolean;
  readonly changeCount: number;
  /** Regions and their voters at the end, that are on a Store that is up. */
  readonly wholeCount: number;
}

const MAX_DOWN_MS = 30 * SECOND_MS;
const SAMPLE_MS = 30 * SECOND_MS;
const LIMIT_MS = 60 * MINUTE_MS;
const QUIET_MS = 4 * MINUTE_MS;
/** Part of the Regions that are read hard; all are led by the first Stores. */
const HOT_PART = 0.01;
const HOT_KEYS_PER_SECOND = 20_000;

/** A cluster from which one Store is lost for good while another one comes, and of which some Stores get most of the reads. */
export async function runElastic(options: ElasticOptions): Promise<ElasticResult> {
  const { storeCount, regionCount, say } = options;
  const model = evenCluster(options);
  const hotCount = Math.max(1, Math.floor(regionCount * HOT_PART));
  for (let at = 0; at < hotCount; at++) {
    const id = regionId(at * storeCount < regionCount ? at * storeCount + 1 : at + 1);
    model.stores.load(id, { ...NO_LOAD, readKeysPerSecond: HOT_KEYS_PER_SECOND });
  }
  model.stores.kill(storeId(2));
  const added = model.addStore({ capacityBytes: 2_000 * GiB });
  const samples = [sample(model, added)];
  say(
    "seconds | regions with lost peers | operators | regions on the new store | regions off the mean | leaders off the mean | hottest store by reads",
  );
  say(describe(samples[0]));
  let repairedAfterMs = Number.POSITIVE_INFINITY;
  let quietMs = 0;
  while (model.elapsedMs < LIMIT_MS && quietMs < QUIET_MS) {
    await model.run(SAMPLE_MS);
    const latest = sample(model, added);
    samples.push(latest);
    say(describe(latest));
    if (latest.hurtCount === 0 && repairedAfterMs === Number.POSITIVE_INFINITY) {
      repairedAfterMs = latest.atMs;
    }
    quietMs = latest.operatorCount === 0 && latest.hurtCount === 0 ? quietMs + SAMPLE_MS : 0;
  }
  const wholeCount = model.durable.regions.size - hurtCount(model);
  return {
    samples,
    repairedAfterMs,
    isQuiet: quietMs >= QUIET_MS,
    changeCount: model.stores.changeCount,
    wholeCount,
  };
}

/** Neighbouring Stores have the Regions in turn. */
function evenCluster({ storeCount, regionCount, seed }: ElasticOptions): ModelCluster {
  const random = new SeededRandom(seed);
  const model = new ModelCluster({
    stores: Array.from({ length: storeCount }, () => ({ capacityBytes: 2_000 * GiB })),
    seed,
    config: { maxStoreDownTimeMs: MAX_DOWN_MS },
  });
  addTiledRegions(model, {
    regionCount,
    storesOf: (at): StoreId[] => [0, 1, 2].map((next) => storeId(((at + next * 7) % storeCount) + 1)),
    sizeBytesOf: () => (48 + random.nextInt(48)) * MiB,
  });
  return model;
}

function sample(model: ModelCluster, added: StoreId): ElasticSample {
  const reads = spreadOf(upStores(model).map(({ load }) => load.readKeysPerSecond));
  return {
    atMs: model.elapsedMs,
    hurtCount: hurtCount(model),
    operatorCount: model.controller.activeCount,
    newStoreRegionCount: model.cluster.index.of(added).regionCount,
    regionDeviation: regionSpread(model).deviation,
    leaderDeviation: leaderSpread(model).deviation,
    hottest: reads.mean === 0 ? 0 : reads.max / reads.mean,
  };
}

function hurtCount(model: ModelCluster): number {
  return model.durable.regions
    .all()
    .filter(
      ({ peers }) =>
        peers.filter(({ role, storeId: id }) => role === "Voter" && model.stores.isAlive(id)).length < 3,
    ).length;
}

function describe(sampled: ElasticSample | undefined): string {
  if (sampled === undefined) {
    return "";
  }
  const { atMs, hurtCount: hurt, operatorCount, newStoreRegionCount, hottest } = sampled;
  const parts = [sampled.regionDeviation, sampled.leaderDeviation].map(
    (part) => `${(part * 100).toFixed(1)} %`,
  );
  return [
    atMs / SECOND_MS,
    hurt,
    operatorCount,
    newStoreRegionCount,
    ...parts,
    `${hottest.toFixed(1)} x`,
  ].join(" | ");
}
