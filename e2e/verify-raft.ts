// The walk-through that scripts/verify-raft.sh runs (SPEC R9).
import type { RdbClient } from "@flaredb/rdb-client";
import { TestCluster, type TestStore } from "./cluster.ts";
import { regionsOn } from "./store-http.ts";
import { step } from "./step.ts";
import { waitFor } from "./wait.ts";

const WRITES = 500;
const CATCH_UP_MAX_MS = 5_000;
/** So long the minority is given to do wrong. */
const MINORITY_WATCH_MS = 5_000;

function check(condition: boolean, problem: string): void {
  if (!condition) {
    throw new Error(problem);
  }
}

async function position(
  store: TestStore,
): Promise<{ readonly commitIndex: number; readonly appliedIndex: number }> {
  const [view] = await regionsOn(store);
  if (view === undefined) {
    throw new Error(`${store.plan.name} has no Region`);
  }
  return view;
}

/** Waits until the Store has applied what the others have committed by now. */
async function hasEverything(cluster: TestCluster, store: TestStore): Promise<void> {
  const others = cluster.stores.filter((other) => other !== store && other.isRunning);
  const goal = Math.max(...(await Promise.all(others.map(position))).map((each) => each.commitIndex));
  await waitFor(`applied index ${goal} on ${store.plan.name}`, CATCH_UP_MAX_MS, async () => {
    return (await position(store)).appliedIndex >= goal;
  });
}

async function write(client: RdbClient, prefix: string): Promise<void> {
  await Promise.all(Array.from({ length: WRITES }, (_, at) => client.put(`${prefix}${at}`, `value ${at}`)));
}

async function readsBack(client: RdbClient, prefix: string): Promise<void> {
  for (let at = 0; at < WRITES; at++) {
    const row = await client.get(`${prefix}${at}`, { readFrom: "follower" });
    const text = row === undefined ? "nothing" : Buffer.from(row.value).toString();
    check(text === `value ${at}`, `${prefix}${at} reads ${text}`);
  }
}

async function walk(cluster: TestCluster): Promise<void> {
  const client = await cluster.connect();
  const leader = await step("the Region has a leader", () => cluster.leaderOf(""));
  const [follower, other] = cluster.stores.filter((store) => store !== leader) as [TestStore, TestStore];

  await step(`${WRITES} puts are acknowledged`, () => write(client, "first/"));
  await step("all three Stores apply them", async () => {
    for (const store of cluster.stores) {
      await hasEverything(cluster, store);
    }
  });
  await step(`kill -9 of the follower ${follower.plan.name}`, () => follower.kill());
  await step(`${WRITES} more puts are acknowledged by the two that are left`, () => write(client, "second/"));
  await step(`${follower.plan.name} starts again and has everything within 5 s`, async () => {
    await follower.launch();
    await hasEverything(cluster, follower);
  });
  await step("followers serve all of it, linearizably", async () => {
    await readsBack(client, "first/");
    await readsBack(client, "second/");
  });

  const { commitIndex } = await position(leader);
  await step(`the leader ${leader.plan.name} is cut off: it is a minority now`, async () => {
    cluster.network.isolate(leader.place, "blackhole");
  });
  const toMinority = leader.unaryPut("minority", "must never be seen", MINORITY_WATCH_MS);
  await step(`${other.plan.name} and ${follower.plan.name} elect a leader and take writes`, async () => {
    await waitFor("a put through the majority", 15_000, async () => {
      await client.put("majority", "seen", { deadlineMs: 1_000 });
      return true;
    });
  });
  await step("a put to the minority is not acknowledged, in bounded time", async () => {
    const answer = await toMinority;
    check(answer !== "ok", "the minority acknowledged a put");
  });
  await step("the minority's commit index has not moved", async () => {
    const now = (await position(leader)).commitIndex;
    check(now === commitIndex, `commit index ${now}, it was ${commitIndex}`);
  });
  await step(`healed: ${leader.plan.name} follows, and has what the majority wrote`, async () => {
    cluster.network.heal();
    await hasEverything(cluster, leader);
    check((await client.get("majority")) !== undefined, "the majority's put is not there");
    check((await client.get("minority")) === undefined, "the minority's put is there");
  });
  await step("no process ended but the one that was killed", async () => {
    check(cluster.unexpectedEnds().length === 0, cluster.unexpectedEnds().join("; "));
  });
}

const cluster = await step("PD and three Stores start", () => TestCluster.start({ network: true }));
try {
  await walk(cluster);
  console.log("\nRaft replication is as SPEC R1 to R9 say.");
} catch (error) {
  console.error(error);
  console.error(cluster.unexpectedEnds().join("\n"));
  process.exitCode = 1;
} finally {
  await cluster.dispose();
}
process.exit();
