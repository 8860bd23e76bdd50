import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "@flaredb/rdb-base";
import { WatchedFolder, buildShim } from "@flaredb/rdb-sim/power-failure";
import type { TestStore } from "../cluster.ts";
import type { ChaosCluster } from "./chaos-cluster.ts";

/** Within the data folder: it has to be on the same file system. */
const NOTES = "power-notes";

/** Whether what Stores sync can be noted here. */
export function canLosePower(): boolean {
  try {
    execFileSync("cc", ["--version"], { stdio: "pipe" });
    return process.platform === "linux";
  } catch {
    // No such program: the run says what it leaves out.
    return false;
  }
}

/** Stores of which is noted what they sync, so that all of them can lose their power at once. */
export class PoweredStores {
  readonly #cluster: ChaosCluster;
  readonly #shim: string;
  readonly #watched = new Map<TestStore, WatchedFolder>();

  /** @throws Error where there is no compiler */
  constructor(cluster: ChaosCluster) {
    this.#cluster = cluster;
    this.#shim = buildShim(cluster.folder);
  }

  /** Ends a Store and starts it again with its syncs noted. What it has by then counts as synced. */
  async watch(store: TestStore): Promise<void> {
    await store.kill();
    const folder = this.#cluster.dataFolderOf(store);
    const workFolder = join(folder, NOTES);
    rmSync(workFolder, { recursive: true, force: true });
    mkdirSync(workFolder, { recursive: true });
    const shim = this.#shim;
    const watched = WatchedFolder.begin({ folder, workFolder, shim });
    this.#watched.set(store, watched);
    store.surround(watched.environment);
    await store.launch();
  }

  /** Ends all of them at once. Of what each wrote and did not sync, nothing is left, or a part. */
  async losePower(random: Random): Promise<void> {
    const stores = [...this.#watched.keys()];
    await Promise.all(stores.map((store) => store.kill()));
    for (const store of stores) {
      this.#cut(store, random);
      store.surround({});
    }
    await Promise.all(stores.map((store) => store.launch()));
  }

  #cut(store: TestStore, random: Random): void {
    const image = join(this.#cluster.folder, `${store.plan.name}-image`);
    mkdirSync(image);
    this.#watched.get(store)?.losePower(image, random);
    // Those were there, too, when the watch began.
    rmSync(join(image, NOTES), { recursive: true, force: true });
    this.#cluster.emptyFolderOf(store);
    cpSync(image, this.#cluster.dataFolderOf(store), { recursive: true });
    rmSync(image, { recursive: true, force: true });
  }
}
