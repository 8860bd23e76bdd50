import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { TestCluster, type TestStore } from "./cluster.ts";
import { regionsOn } from "./store-http.ts";
import { waitFor } from "./wait.ts";

/** Continuous integration sends more than 100 MiB. */
const SIZE_BYTES = Number(process.env["FLAREDB_E2E_SNAPSHOT_MIB"] ?? 24) * 1024 * 1024;
const VALUE_BYTES = 64 * 1024;
const ROW_COUNT = Math.ceil(SIZE_BYTES / VALUE_BYTES);
const BATCH_COUNT = 16;
const LOG_MAX_ENTRIES = 20;
/** Fine enough to see a file that is written in a fraction of a second. */
const LOOK_INTERVAL_MS = 1;

let cluster: TestCluster;
afterEach(() => cluster.dispose());

function keyAt(place: number): string {
  return `row${String(place).padStart(6, "0")}`;
}

/** Deterministic, and different in every row. */
function valueAt(place: number): string {
  return `${keyAt(place)}:`.padEnd(VALUE_BYTES, String(place % 10));
}

function snapshotFiles(store: TestStore): { readonly name: string; readonly sizeBytes: number }[] {
  const folder = join(cluster.folder, store.plan.name, "snapshots");
  return readdirSync(folder).map((name) => ({ name, sizeBytes: sizeOf(join(folder, name)) }));
}

/** 0 when it is gone meanwhile. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Resolves within a millisecond of the first look that finds the condition true. */
async function see(what: string, condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadlineMs) {
      throw new Error(`${what} was not seen`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS));
  }
}

test("SCENARIO-35 huge snapshot: its receiver is killed midway, twice; it starts over, and leaves nothing behind", async () => {
  cluster = await TestCluster.start({
    storeConfig: { logGc: { maxEntries: LOG_MAX_ENTRIES, checkIntervalMs: 100 } },
  });
  const client = await cluster.connect();
  await client.put("gone", "soon");
  const leader = await cluster.leaderOf("");
  const [away, other] = cluster.stores.filter((store) => store !== leader) as [TestStore, TestStore];
  const appliedBefore = (await regionsOn(away))[0]?.appliedIndex ?? 0;
  await away.kill();
  for (let place = 0; place < ROW_COUNT; place += BATCH_COUNT) {
    const count = Math.min(BATCH_COUNT, ROW_COUNT - place);
    const rows = Array.from({ length: count }, (_, at) => ({
      key: keyAt(place + at),
      value: valueAt(place + at),
    }));
    await client.batchPut(rows, { deadlineMs: 30_000 });
  }
  await client.delete("gone");
  await waitFor("a log cut behind what the absent Store has", 20_000, async () => {
    const view = (await regionsOn(leader))[0];
    return view !== undefined && view.firstIndex > appliedBefore + 1;
  });

  // Killed while the file comes in, and killed again when it is whole and its rows are being written.
  await away.launch();
  await see("a part of the snapshot", () =>
    snapshotFiles(away).some(({ name, sizeBytes }) => name.endsWith(".part") && sizeBytes > SIZE_BYTES / 8),
  );
  await away.kill();
  await away.launch();
  await see("the whole snapshot", () => snapshotFiles(away).some(({ name }) => name.endsWith(".snapshot")));
  await away.kill();
  await away.launch();

  const target = (await regionsOn(leader))[0]?.appliedIndex ?? 0;
  await waitFor("everything on the Store that was away", 60_000, async () => {
    return ((await regionsOn(away))[0]?.appliedIndex ?? 0) >= target;
  });
  await waitFor("no file left", 10_000, () => snapshotFiles(away).length === 0);

  // What it has is complete: it and one other are a majority now, and the former leader is gone.
  await leader.kill();
  await waitFor("the one that was away and the other to serve", 20_000, async () => {
    return (await client.get("gone", { deadlineMs: 2_000 })) === undefined;
  });
  let count = 0;
  for await (const row of client.scan({ pageSize: 64, deadlineMs: 30_000, readFrom: "follower" })) {
    expect(row.keyText()).toBe(keyAt(count));
    expect(row.text() === valueAt(count)).toBe(true);
    count++;
  }
  expect(count).toBe(ROW_COUNT);
  expect(other.isRunning).toBe(true);
  expect(cluster.unexpectedEnds()).toEqual([]);
}, 300_000);
