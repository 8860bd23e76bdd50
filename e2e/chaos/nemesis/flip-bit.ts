import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "@flaredb/rdb-base";
import type { ChaosCluster } from "../chaos-cluster.ts";
import type { Fault, Nemesis } from "../nemesis.ts";
import { drawSome } from "../several.ts";

/** Of the file: a bit further behind may hit the last record of a log, which looks like a write that was cut off. */
const PART = 0.6;

/**
 * A bit of a file of a stopped Store's data, a table (SST) or the log (WAL), is flipped. The Store refuses to start, or
 * serves what is sound until the checksum shows it; nothing of it reaches a client or another Store. In the end its disk
 * is replaced: it starts empty, under a new id, and is filled again.
 */
export class FlipBit implements Nemesis {
  readonly name = "flip-bit";
  readonly lastsMs = { min: 4_000, max: 8_000 };
  readonly majorityStays = true;
  readonly means = "disk";
  readonly isMild = false;

  async begin(cluster: ChaosCluster, random: Random): Promise<Fault> {
    const [store] = drawSome(cluster.runningStores, 1, random);
    if (store === undefined) {
      throw new Error("no Store runs");
    }
    await store.kill();
    const flipped = flipBit(cluster.dataFolderOf(store), random);
    const started = store.launch();
    store.mayEnd(true);
    const isRefused = await started.then(
      () => !store.isRunning,
      () => true,
    );
    return {
      text: `a bit of ${flipped} of ${store.plan.name} flipped, ${isRefused ? "refused at start" : "not read so far"}`,
      end: async () => {
        await cluster.wipe(store);
        await store.launch();
        await cluster.waitUntilHealed();
      },
    };
  }
}

/** @returns the name of the file */
function flipBit(folder: string, random: Random): string {
  const ending = random.nextInt(2) === 0 ? ".sst" : ".log";
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.(?:sst|log)$/.test(name),
  );
  const candidates = files
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }))
    .filter(({ bytes }) => bytes.length > 0);
  const wanted = candidates.filter(({ name }) => name.endsWith(ending));
  const [target] = drawSome(wanted.length > 0 ? wanted : candidates, 1, random);
  if (target === undefined) {
    throw new Error(`${folder} has no tables and no log`);
  }
  const place = random.nextInt(Math.max(1, Math.floor(target.bytes.length * PART)));
  target.bytes[place] = (target.bytes[place] as number) ^ (1 << random.nextInt(8));
  writeFileSync(join(folder, target.name), target.bytes);
  return target.name;
}
