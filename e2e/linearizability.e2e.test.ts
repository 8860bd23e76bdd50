import { writeFileSync } from "node:fs";
import { systemClock, systemRandom } from "@flaredb/rdb-base";
import {
  type Call,
  CallRecorder,
  History,
  type Outcome,
  RecordedClient,
  RegisterWorkload,
  checkKeys,
  checkRevisions,
  historyLines,
} from "@flaredb/rdb-sim/history";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster, type TestStore } from "./cluster.ts";
import { pause, waitFor } from "./wait.ts";

/** Few, so that clients meet: the first group lies in one Region, the second in the other. */
const GROUPS = [
  ["apple/1", "apple/2", "apple/3"],
  ["zebra/1", "zebra/2", "zebra/3"],
] as const;
const CLIENT_COUNT = 8;
/** Short: calls that a fault hits shall end undecided, not only late. */
const DEADLINE_MS = 1_500;
const CLIENT_PAUSE_MAX_MS = 30;
/** Beyond the election timeout: others lead when the Store that led wakes up. */
const FREEZE_MS = 3_000;
/** After a fault calls are answered again within this. */
const RESUME_MAX_MS = 10_000;
/** Writes that begin, and end with an error, while one Store of three runs. */
const UNANSWERED_MIN = 5;
/** Not conditional batches: over two Regions they are refused before they are sent. */
const WRITES: ReadonlySet<Call["op"]> = new Set(["put", "delete", "batchPut", "batchDelete", "cas"]);
const CALLS_OK_MIN = 200;
const NS_PER_MS = 1_000_000;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ initialRegions: "m" });
});
afterAll(() => cluster.dispose());

/** Times of all calls, of one clock. */
function nowNs(): number {
  return Math.round(performance.now() * NS_PER_MS);
}

/** A client with a connection of its own, so that each answer is told to the one call that is under way. */
async function recordedClient(history: History, name: string): Promise<RecordedClient> {
  const recorder = new CallRecorder({ history, nowNs });
  const client = await cluster.connect({ deadlineMs: DEADLINE_MS, onAnswer: recorder.onAnswer });
  return new RecordedClient({ name, recorder, client: () => client });
}

/** Waits for the answer to a put that began after now, in the Region of these keys. */
async function waitForPut(history: History, [first]: readonly string[]): Promise<void> {
  const sinceNs = nowNs();
  const region = (first as string).split("/")[0] as string;
  await waitFor(`a put under ${region}/`, RESUME_MAX_MS, () =>
    history.calls.some(
      (call) =>
        call.op === "put" &&
        call.outcome === "ok" &&
        call.startNs > sinceNs &&
        call.mutations.some(({ key }) => key.startsWith(region)),
    ),
  );
}

/** A time, in the history's clock. */
interface Span {
  readonly fromNs: number;
  readonly toNs: number;
}

/** Kills a leader, freezes a leader, and leaves one Store of three. @returns when there was only that one */
async function disturb(history: History): Promise<Span> {
  const [apples, zebras] = GROUPS;
  const killed = await cluster.leaderOf(apples[0]);
  await killed.kill();
  await waitForPut(history, apples);
  await killed.launch();
  await waitForPut(history, zebras);

  const frozen = await cluster.leaderOf(zebras[0]);
  frozen.freeze();
  await pause(FREEZE_MS);
  await Promise.all(GROUPS.map((group) => waitForPut(history, group)));

  const second = cluster.stores.find((store) => store !== frozen) as TestStore;
  await second.kill();
  const fromNs = nowNs();
  const toNs = await waitFor("writes without an answer", RESUME_MAX_MS, () => {
    const { fail, unknown } = writesWithin(history, { fromNs, toNs: nowNs() });
    return fail + unknown >= UNANSWERED_MIN && nowNs();
  });
  // It wakes up as a leader that others have followed.
  frozen.thaw();
  await Promise.all(GROUPS.map((group) => waitForPut(history, group)));
  await second.launch();
  await Promise.all(GROUPS.map((group) => waitForPut(history, group)));
  return { fromNs, toNs };
}

/** Writes that began and ended in that time, by how they ended. */
function writesWithin({ calls }: History, { fromNs, toNs }: Span): Record<Outcome, number> {
  const count: Record<Outcome, number> = { ok: 0, fail: 0, unknown: 0 };
  for (const { op, outcome, startNs, endNs } of calls) {
    if (WRITES.has(op) && startNs >= fromNs && endNs <= toNs) {
      count[outcome]++;
    }
  }
  return count;
}

test("SPEC-R5 SPEC-R7: what clients see of hot keys is linearizable, through kill -9 of leaders and a frozen Store", async () => {
  const history = new History();
  const names = Array.from({ length: CLIENT_COUNT }, (_, place) => `client-${place + 1}`);
  const workload = new RegisterWorkload({
    clients: await Promise.all(names.map((name) => recordedClient(history, name))),
    clock: systemClock,
    random: systemRandom,
    pauseMaxMs: CLIENT_PAUSE_MAX_MS,
    groups: GROUPS,
  });
  try {
    const minority = await disturb(history);
    await workload.stop();
    await workload.finish(await recordedClient(history, "reader"));
    expect(writesWithin(history, minority).ok).toBe(0);
  } finally {
    const file = process.env["FLAREDB_E2E_HISTORY"];
    if (file !== undefined) {
      writeFileSync(file, [...historyLines(history.calls)].join(""));
    }
  }
  expect(checkKeys(history.calls)).toEqual([]);
  expect(checkRevisions(history.calls)).toEqual([]);
  expect(history.count("ok")).toBeGreaterThan(CALLS_OK_MIN);
  expect(cluster.unexpectedEnds()).toEqual([]);
}, 60_000);
