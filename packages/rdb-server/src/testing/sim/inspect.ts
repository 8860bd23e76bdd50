import { FULL_RANGE, type Index, type RegionId } from "@flaredb/rdb-base";
import { decodeValue, indexedKey } from "@flaredb/rdb-storage";
import { text } from "./kv-requests.ts";
import type { SimCluster } from "./sim-cluster.ts";
import type { SimStore } from "./sim-store.ts";

const PAGE = { maxCount: 1_000, maxBytes: 1024 * 1024 };

/** Every row of a running Store as `key=value@version`, by key: all of its Regions. */
export async function contentOf(store: SimStore): Promise<string[]> {
  const cursor = store.engine.openCursor("data", FULL_RANGE);
  const rows: string[] = [];
  for (let done = false; !done; ) {
    const page = await cursor.next(PAGE.maxCount, PAGE.maxBytes);
    for (const row of page.rows) {
      const { value, version } = decodeValue(row.value);
      rows.push(`${text(row.key)}=${text(value)}@${version}`);
    }
    done = page.done;
  }
  cursor.close();
  return rows;
}

/** What a running Store remembers of clients' writes, by Region and entry; hexadecimal. */
export async function sessionRowsOf(store: SimStore): Promise<string[]> {
  const cursor = store.engine.openCursor("session", FULL_RANGE);
  const rows: string[] = [];
  for (let done = false; !done; ) {
    const page = await cursor.next(PAGE.maxCount, PAGE.maxBytes);
    rows.push(...page.rows.map(({ key, value }) => `session ${hex(key)}=${hex(value)}`));
    done = page.done;
  }
  cursor.close();
  return rows;
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString("hex");
}

/** An entry of the log as it lies on the disk of a Store, running or not; hexadecimal. */
export function entryOnDisk(store: SimStore, region: RegionId, index: number): string | undefined {
  const row = store.disk.get("raft_log", indexedKey(region, index as Index));
  return row === undefined ? undefined : hex(row);
}

/** Whether the running Stores have one leader and have all applied everything that is in the log. */
export function isLevel(cluster: SimCluster, region: RegionId): boolean {
  const statuses = cluster.stores
    .filter((store) => store.isRunning)
    .map((store) => store.store.regionStatus(region));
  const last = statuses[0]?.lastIndex;
  return (
    statuses.filter((status) => status?.isLeader === true).length === 1 &&
    statuses.every((status) => status?.appliedIndex === last && status?.lastIndex === last)
  );
}

/**
 * Lets time pass until the running Stores are level, then compares them: content, what is
 * remembered of clients' writes, revision, and the entries that all
 * of their logs still have.
 *
 * @throws Error naming the first difference
 */
export async function expectConverged(cluster: SimCluster): Promise<void> {
  const running = cluster.stores.filter((store) => store.isRunning);
  for (const { id } of cluster.regions) {
    await cluster.until(`the peers of Region ${id} are level`, () => isLevel(cluster, id));
    const statuses = running.map((store) => store.store.regionStatus(id));
    const revisions = new Set(statuses.map((status) => status?.revision));
    if (revisions.size !== 1) {
      throw new Error(`Region ${id} has different revisions: ${[...revisions].join(", ")}`);
    }
    const first = Math.max(...statuses.map((status) => status?.firstIndex ?? 0));
    const last = Math.min(...statuses.map((status) => status?.lastIndex ?? 0));
    for (let index = first; index <= last; index++) {
      const entries = new Set(running.map((store) => entryOnDisk(store, id, index)));
      if (entries.size !== 1) {
        throw new Error(`Region ${id} has different entries at ${index}: ${[...entries].join(" / ")}`);
      }
    }
  }
  const contents = await cluster.complete(
    Promise.all(running.map(async (store) => [...(await contentOf(store)), ...(await sessionRowsOf(store))])),
  );
  const [reference = [], ...others] = contents;
  for (const [place, content] of others.entries()) {
    const difference = reference.find((row, at) => content[at] !== row) ?? content[reference.length];
    if (difference !== undefined) {
      throw new Error(
        `Stores ${running[0]?.storeId} and ${running[place + 1]?.storeId} differ at ${difference}`,
      );
    }
  }
}
