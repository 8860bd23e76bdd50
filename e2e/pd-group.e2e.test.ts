import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RdbError, assert } from "@flaredb/rdb-base";
import { OperatorState } from "@flaredb/rdb-proto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePortBlock } from "./free-ports.ts";
import { PdGroupCluster, type PdMemberProcess } from "./pd-group.ts";
import { PlaygroundProcess, memberPid } from "./playground-process.ts";
import { rdb } from "./run-cli.ts";
import { waitFor } from "./wait.ts";
import { Workload } from "./workload.ts";

const PREFIX = "a/";
/** What placement takes to go on is printed; the bound is ten times what it is to be, for a machine that is busy. */
const GOES_ON_MAX_MS = 30_000;
const ROUND_IDS_COUNT = 50;

let cluster: PdGroupCluster;
beforeAll(async () => {
  cluster = await PdGroupCluster.start();
}, 60_000);
afterAll(() => cluster.dispose());

/** Ids that PD ever gave to this test. */
const ids = new Set<bigint>();

async function takeIds(): Promise<void> {
  const count = ROUND_IDS_COUNT;
  const { firstId } = await cluster.ask(({ pd }, options) => pd.allocateIds({ count }, options));
  for (let id = firstId; id < firstId + BigInt(count); id++) {
    expect(ids.has(id), `id ${id} was given out before`).toBe(false);
    ids.add(id);
  }
}

/** Moves the leadership of the only Region to another Store, as an operator of PD; resolves when that is done. */
async function placementGoesOn(): Promise<void> {
  const operator = await waitFor("a transfer that PD takes", GOES_ON_MAX_MS, async () => {
    const { routes } = await cluster.ask(({ pd }, options) => pd.listRegions({ limit: 1 }, options));
    const { region, leader } = routes[0] ?? {};
    const target = region?.peers.find(({ id }) => leader !== undefined && id !== leader.id);
    if (region === undefined || target === undefined) {
      return undefined;
    }
    const request = { regionId: region.id, toStoreId: target.storeId };
    return (await cluster.ask(({ admin }, options) => admin.transferRegionLeader(request, options))).operator;
  });
  await waitFor("the transfer's end", GOES_ON_MAX_MS, async () => {
    const { operator: now } = await cluster.ask(({ admin }, options) =>
      admin.getOperator({ operatorId: operator.id }, options),
    );
    if (now !== undefined && now.state >= OperatorState.CANCELLED) {
      throw new RdbError("RDB_OPERATOR_CANCELLED", now.endMessage);
    }
    return now?.state === OperatorState.DONE;
  });
}

async function followerOf(leader: PdMemberProcess): Promise<PdMemberProcess> {
  const follower = cluster.members.find((member) => member !== leader && member.isRunning);
  assert(follower !== undefined, "another member runs");
  return follower;
}

test("kill -9 of any PD member under load: placement goes on, ids never repeat, no write fails", async () => {
  const client = await cluster.connect();
  const workload = new Workload(client, { prefixes: [PREFIX], concurrency: 8, valueBytes: 128 });
  await placementGoesOn();
  for (const victimIs of ["leader", "follower", "leader", "leader"] as const) {
    await takeIds();
    const leader = await cluster.leader();
    const victim = victimIs === "leader" ? leader : await followerOf(leader);
    await victim.kill();
    const killedMs = performance.now();
    await cluster.leader();
    const ledMs = performance.now() - killedMs;
    await placementGoesOn();
    const tookMs = performance.now() - killedMs;
    const times = `one leads after ${Math.round(ledMs)} ms, placement goes on after ${Math.round(tookMs)} ms`;
    console.log(`${victimIs} of PD killed: ${times}`);
    expect(tookMs).toBeLessThan(GOES_ON_MAX_MS);
    await takeIds();
    await victim.launch();
  }
  await workload.stop();
  expect(workload.failures).toEqual([]);
  expect(await workload.lost(client)).toEqual([]);
  expect(cluster.unexpectedEnds()).toEqual([]);
});

test("a PD leader that stands still is replaced, and follows when it goes on", async () => {
  const leader = await cluster.leader();
  leader.freeze();
  const frozenMs = performance.now();
  await placementGoesOn();
  console.log(`leader of PD stopped: placement goes on after ${Math.round(performance.now() - frozenMs)} ms`);
  await takeIds();
  leader.thaw();
  await takeIds();
  expect((await cluster.leader()).address).not.toBe(leader.address);
  expect(cluster.unexpectedEnds()).toEqual([]);
});

test("without any PD, reads and writes of known Regions go on; with it again, everything does", async () => {
  const client = await cluster.connect();
  await client.put("k/before", "1");
  await Promise.all(cluster.members.map((member) => member.kill()));
  for (let at = 0; at < 100; at++) {
    await client.put(`k/${at}`, String(at));
  }
  expect(Buffer.from((await client.get("k/99"))?.value ?? []).toString()).toBe("99");
  await Promise.all(cluster.members.map((member) => member.launch()));
  await placementGoesOn();
  await takeIds();
  expect(cluster.unexpectedEnds()).toEqual([]);
});

test("one command starts three members; any of them shows who leads, and one that dies comes back", async () => {
  const basePort = await freePortBlock(30);
  const folder = mkdtempSync(join(tmpdir(), "flaredb-e2e-pd-playground-"));
  const playground = new PlaygroundProcess([
    ...["--pd-members", "3", "--stores", "1"],
    ...["--base-port", String(basePort), "--data", folder],
  ]);
  try {
    await playground.ready();
    const members = async (): Promise<{ readonly isUp: boolean; readonly isLeader: boolean }[]> => {
      const { stdout } = await rdb(["pd", "members", "--json", "--pd", `127.0.0.1:${basePort + 4}`]);
      return JSON.parse(stdout);
    };
    await waitFor("three members that answer", GOES_ON_MAX_MS, async () =>
      (await members()).every(({ isUp }) => isUp),
    );
    const leaderIndex = (await members()).findIndex(({ isLeader }) => isLeader);
    process.kill(memberPid(folder, `pd-${leaderIndex + 1}`), "SIGKILL");
    await playground.says(new RegExp(`pd-${leaderIndex + 1} serves again`));
    await waitFor("three members that answer", GOES_ON_MAX_MS, async () =>
      (await members()).every(({ isUp }) => isUp),
    );
    expect(await playground.interrupt()).toBe(0);
  } finally {
    playground.signal("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});
