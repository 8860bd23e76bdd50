import { RdbError } from "@flaredb/rdb-base";
import { OperatorState, RecoveryState, RecoveryStepState, StoreState } from "@flaredb/rdb-proto";
import { afterEach, describe, expect, test } from "vitest";
import { startFakePd } from "../testing/fake-pd.ts";
import { runCaptured } from "../testing/run-captured.ts";

type Methods = Parameters<typeof startFakePd>;

let stop = async (): Promise<void> => {};
afterEach(() => stop());

async function pd(admin: NonNullable<Methods[1]>, others: Methods[0] = {}): Promise<string[]> {
  const fake = await startFakePd(others, admin);
  stop = fake.stop;
  return ["--pd", fake.address];
}

const encode = (text: string) => new TextEncoder().encode(text);

const running = {
  id: 17n,
  kind: "move-peer",
  origin: "admin",
  regionId: 5n,
  state: OperatorState.RUNNING as OperatorState,
  steps: [
    { kind: "add-learner", text: "add learner 21 on store 4" },
    { kind: "remove-peer", text: "remove peer 12 on store 1" },
  ],
  currentStep: 0,
  createdMs: 1_000n,
};
const second = { ...running, currentStep: 1 };
const done = { ...running, state: OperatorState.DONE, currentStep: 2, endedMs: 4_200n };
const cancelled = {
  ...second,
  state: OperatorState.CANCELLED,
  endedMs: 3_000n,
  endReason: "epoch-changed",
  endMessage: "the Region was split",
};

/** An operator that is looked at in these states, one after the other; the last stays. */
function looks<Look>(...states: Look[]) {
  return () => ({ operator: (states.length > 1 ? states.shift() : states[0]) as Look });
}

const move = ["region", "move", "5", "--from", "1", "--to", "4"];

describe("SPEC-M7: a command that changes a Region", () => {
  test("waits with a line for each step and ends with what happened", async () => {
    const requests: unknown[] = [];
    const flags = await pd({
      movePeer: ({ regionId, fromStoreId, toStoreId }) => {
        requests.push([regionId, fromStoreId, toStoreId]);
        return { operator: running };
      },
      getOperator: looks(running, running, second, done),
    });
    const { exitCode, stdout, stderr } = await runCaptured([...move, ...flags]);
    expect(requests).toEqual([[5n, 1n, 4n]]);
    expect(stdout).toBe("Region 5: its peer moved from Store 1 to Store 4 (3.2 s)\n");
    expect(stderr.replaceAll(/\(\d+\.\d s\)/g, "(t)").split("\n")).toEqual([
      "operator 17 (move-peer of Region 5): 1/2 add learner 21 on store 4 (t)",
      "operator 17 (move-peer of Region 5): 2/2 remove peer 12 on store 1 (t)",
      "",
    ]);
    expect(exitCode).toBe(0);
  });

  test("writes one line over on a terminal, never wider than it, and leaves nothing of it", async () => {
    const flags = await pd({
      movePeer: () => ({ operator: running }),
      getOperator: looks(running, second, done),
    });
    const { stderr } = await runCaptured([...move, ...flags], { progressColumns: 40 });
    expect(stderr).not.toContain("\n");
    const lines = stderr.split("\r\u001b[2K");
    expect(lines.slice(1, 3).map((line) => line.slice(0, 20))).toEqual([
      "operator 17 (move-pe",
      "operator 17 (move-pe",
    ]);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(40);
    expect(lines.at(-1)).toBe("");
  });

  test("exits with 1 and names the reason when the operator is cancelled", async () => {
    const flags = await pd({
      movePeer: () => ({ operator: running }),
      getOperator: looks(second, cancelled),
    });
    const { exitCode, stdout, stderr } = await runCaptured([...move, ...flags]);
    expect(exitCode).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toContain(
      "error: operator 17 (move-peer of Region 5) was not carried out: cancelled: epoch-changed (the Region was split)\n",
    );
    const json = await runCaptured([...move, "--json", ...flags]);
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: { code: "RDB_OPERATOR_CANCELLED", details: { operatorId: 17, reason: "epoch-changed" } },
    });
  });

  test("prints only the operator's id with --no-wait", async () => {
    const flags = await pd({ movePeer: () => ({ operator: running }) });
    expect(await runCaptured([...move, "--no-wait", ...flags])).toEqual({
      exitCode: 0,
      stdout: "17\n",
      stderr: "",
    });
    const json = await runCaptured([...move, "--no-wait", "--json", ...flags]);
    expect(JSON.parse(json.stdout)).toMatchObject({ id: 17, state: "running", currentStep: 0 });
  });

  test("says on Ctrl-C that the operator goes on, how to follow and how to cancel it", async () => {
    const ctrlC = new AbortController();
    const flags = await pd({
      movePeer: () => ({ operator: running }),
      getOperator: () => {
        ctrlC.abort();
        return { operator: running };
      },
    });
    const { exitCode, stderr } = await runCaptured([...move, ...flags], { interrupt: ctrlC.signal });
    expect(exitCode).toBe(130);
    expect(stderr).toContain(
      "operator 17 goes on: `rdb operator watch 17` follows it, `rdb operator cancel 17` cancels it\n",
    );
  });

  test("keeps asking a placement driver that is away for a moment", async () => {
    let askedCount = 0;
    const flags = await pd({
      movePeer: () => ({ operator: running }),
      getOperator: () => (++askedCount === 1 ? new Promise(() => {}) : { operator: done }),
    });
    const { exitCode, stderr } = await runCaptured([...move, "--timeout", "300ms", ...flags]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain("the placement driver does not answer, asking again");
  });

  test("is refused at once with PD's reason, which is no wrong usage", async () => {
    const flags = await pd({
      removePeer: () => {
        throw new RdbError("RDB_INVALID_ARGUMENT", "removing it would leave region 5 without a quorum");
      },
    });
    const { exitCode, stderr } = await runCaptured(["region", "remove-peer", "5", "--store", "2", ...flags]);
    expect(stderr).toBe("error: removing it would leave region 5 without a quorum\n");
    expect(exitCode).toBe(1);
  });

  test.each([
    [["add-peer", "5", "--store", "4"], { addPeer: () => ({ operator: running }) }, "has a peer on Store 4"],
    [["remove-peer", "5", "--store", "4"], { removePeer: () => ({ operator: running }) }, "has no peer on"],
    [
      ["transfer-leader", "5", "--to", "4"],
      { transferRegionLeader: () => ({ operator: running }) },
      "is led by Store 4 now",
    ],
    [
      ["merge", "5", "--into", "6"],
      { mergeRegions: () => ({ operator: running }) },
      "was merged into Region 6",
    ],
  ] as const)("region %j", async (args, methods, sentence) => {
    const flags = await pd({ ...methods, getOperator: looks(done) });
    const { exitCode, stdout } = await runCaptured(["region", ...args, ...flags]);
    expect(stdout).toContain(`Region 5 ${sentence}`);
    expect(exitCode).toBe(0);
  });
});

test("SPEC-M7: a peer too many or too few is said to be no lasting one", async () => {
  const motive = "a peer on store 4 is wanted; 4 peers are more than replicas 3: one is removed again";
  const flags = await pd({
    addPeer: () => ({ operator: running }),
    removePeer: () => ({ operator: running }),
    getOperator: () => ({ operator: { ...done, motive } }),
  });
  for (const [command, sentence] of [
    ["add-peer", "has a peer on Store 4 now"],
    ["remove-peer", "has no peer on Store 4 any more"],
  ] as const) {
    const { stdout } = await runCaptured(["region", command, "5", "--store", "4", ...flags]);
    expect(stdout).toBe(
      `Region 5 ${sentence}; 4 peers are more than replicas 3: one is removed again (3.2 s)\n`,
    );
  }
});

describe("SPEC-M7: region split", () => {
  const region = (id: bigint, startKey: string, endKey: string) => ({
    region: { id, startKey: encode(startKey), endKey: encode(endKey) },
  });

  test("names the Regions that lie in the old range then", async () => {
    const requests: unknown[] = [];
    const flags = await pd(
      {
        splitRegionAt: ({ keys, partCount }) => {
          requests.push([keys.map((key) => Buffer.from(key).toString()), partCount]);
          return { operator: running };
        },
        getOperator: looks(done),
      },
      {
        getRegionById: () => ({ route: region(5n, "b", "y") }),
        listRegions: () => ({
          routes: [region(1n, "", "b"), region(5n, "b", "m"), region(9n, "m", "y"), region(2n, "y", "")],
        }),
      },
    );
    const { stdout } = await runCaptured(["region", "split", "5", "--key", "x", "--key", "m", ...flags]);
    expect(requests).toEqual([[["m", "x"], 0]]);
    expect(stdout).toBe('Region 5 was split into 2: 5 ["b", "m"), 9 ["m", "y") (3.2 s)\n');
    await runCaptured(["region", "split", "5", "--parts", "4", ...flags]);
    expect(requests[1]).toEqual([[], 4]);
  });

  test.each([
    [["--parts", "1"], "parts 1 must be a whole number from 2 to 64"],
    [["--parts", "2", "--key", "m"], "--key and --parts exclude each other"],
    [["--key", "x", "--hex"], 'key "x" must be an even number of hexadecimal digits'],
  ])("%j is refused", async (args, message) => {
    const { exitCode, stderr } = await runCaptured(["region", "split", "5", ...args]);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });
});

describe("SPEC-M7: region scatter", () => {
  test("waits for all of its operators", async () => {
    const flags = await pd({
      scatterRegions: () => ({ operators: [running, { ...running, id: 18n }] }),
      getOperator: ({ operatorId }) => ({ operator: { ...done, id: operatorId } }),
    });
    const { stdout } = await runCaptured(["region", "scatter", "5", "6", "7", ...flags]);
    expect(stdout).toBe(
      "3 Regions: 2 moved, the others lie well already or cannot be changed now: `rdb operator explain` says why\n",
    );
  });

  test("says when there is nothing to do", async () => {
    const flags = await pd({ scatterRegions: () => ({ operators: [] }) });
    const { stdout } = await runCaptured(["region", "scatter", "5", ...flags]);
    expect(stdout).toBe(
      "Nothing was moved: 1 Region lies well already or cannot be changed now: `rdb operator explain` says why\n",
    );
  });
});

describe("SPEC-S5: region check", () => {
  const route = {
    region: { id: 5n, peers: [{ id: 21n, storeId: 4n }] },
    verifiedIndex: 7n,
  };

  test("waits until the peers of every Region were compared", async () => {
    const asked: bigint[] = [];
    let looks = 0;
    const flags = await pd(
      {
        checkReplicas: ({ regionId }) => {
          asked.push(regionId);
          return { verifiedIndexBefore: 7n };
        },
      },
      { listRegions: () => ({ routes: [{ ...route, verifiedIndex: ++looks < 3 ? 7n : 9n }] }) },
    );
    const { exitCode, stdout, stderr } = await runCaptured(["region", "check", ...flags]);
    expect(asked).toEqual([5n]);
    expect(stderr).toContain("0 of 1 Regions compared");
    expect(stdout).toBe("1 Region compared: the peers have the same rows\n");
    expect(exitCode).toBe(0);
  });

  test("asks again for a Region that is between two leaders", async () => {
    let askedCount = 0;
    const flags = await pd(
      {
        checkReplicas: () => {
          if (++askedCount < 3) {
            throw new RdbError("RDB_SERVER_IS_BUSY", "region 5 has no leader");
          }
          return { verifiedIndexBefore: 7n };
        },
      },
      { listRegions: () => ({ routes: [{ ...route, verifiedIndex: askedCount < 3 ? 7n : 9n }] }) },
    );
    const { exitCode, stdout } = await runCaptured(["region", "check", ...flags]);
    expect(stdout).toBe("1 Region compared: the peers have the same rows\n");
    expect(exitCode).toBe(0);
  });

  test("exits with 1 and names a peer that differs", async () => {
    const flags = await pd(
      { checkReplicas: () => ({ verifiedIndexBefore: 7n }) },
      { listRegions: () => ({ routes: [{ ...route, damagedPeerIds: [21n] }] }) },
    );
    const { exitCode, stdout } = await runCaptured(["region", "check", "5", ...flags]);
    expect(stdout).toBe("Region 5: peer 21 on Store 4 differs; it serves nobody and will be replaced\n");
    expect(exitCode).toBe(1);
  });
});

describe("SPEC-M7: store", () => {
  const status = (state: StoreState, regionCount: number, leaderCount = 0) => ({
    status: { store: { id: 2n, state, labels: { zone: "b" } }, regionCount, leaderCount },
  });

  test("decommission waits until no Region is left", async () => {
    const looks = [
      status(StoreState.DRAINING, 3),
      status(StoreState.DRAINING, 1),
      status(StoreState.TOMBSTONE, 0),
    ];
    const flags = await pd(
      { decommissionStore: () => status(StoreState.DRAINING, 3) },
      { getStore: () => looks.shift() as (typeof looks)[0] },
    );
    const { exitCode, stdout, stderr } = await runCaptured(["store", "decommission", "2", ...flags]);
    expect(stderr.split("\n").map((line) => line.replace(/ \(.*/, ""))).toEqual([
      "Store 2 is being emptied: 3 Regions left",
      "Store 2 is being emptied: 1 Regions left",
      "",
    ]);
    expect(stdout).toBe(
      "Store 2 holds no Region any more and is gone for good: its process ends, and its data folder can be deleted\n",
    );
    expect(exitCode).toBe(0);
  });

  test("decommission ends with 1 when somebody cancels it meanwhile", async () => {
    const flags = await pd(
      { decommissionStore: () => status(StoreState.DRAINING, 3) },
      { getStore: () => status(StoreState.UP, 2) },
    );
    const { exitCode, stderr } = await runCaptured(["store", "decommission", "2", ...flags]);
    expect(stderr).toContain("error: somebody cancelled that: Store 2 stays, with 2 Regions\n");
    expect(exitCode).toBe(1);
  });

  test("decommission --no-wait and cancel-decommission answer at once", async () => {
    const flags = await pd({
      decommissionStore: () => status(StoreState.DRAINING, 3),
      cancelDecommission: () => status(StoreState.UP, 3),
    });
    const begun = await runCaptured(["store", "decommission", "2", "--no-wait", ...flags]);
    expect(begun.stdout).toBe("Store 2 is being emptied of 3 Regions\n");
    const kept = await runCaptured(["store", "cancel-decommission", "2", "--json", ...flags]);
    expect(JSON.parse(kept.stdout)).toMatchObject({ id: 2, state: "up", regionCount: 3 });
  });

  test("label sets labels and takes them away", async () => {
    const requests: unknown[] = [];
    const flags = await pd({
      setStoreLabels: ({ labels }) => {
        requests.push(labels);
        return status(StoreState.UP, 0);
      },
    });
    const { stdout } = await runCaptured(["store", "label", "2", "zone=b", "host=", ...flags]);
    expect(requests).toEqual([{ zone: "b", host: "" }]);
    expect(stdout).toBe("Store 2 has the labels zone=b\n");
    const wrong = await runCaptured(["store", "label", "2", "zone", ...flags]);
    expect(wrong.stderr).toContain('label "zone" must be NAME=VALUE');
    expect(wrong.exitCode).toBe(2);
  });

  test("limit sets what is named, and alone says what holds", async () => {
    const requests: unknown[] = [];
    const limits = { addLimit: 2, isOwnAddLimit: true, removeLimit: 15 };
    const limited = { status: { ...status(StoreState.UP, 0).status, limits } };
    const flags = await pd(
      {
        setStoreLimits: ({ storeId, addLimit, removeLimit }) => {
          requests.push([storeId, addLimit, removeLimit]);
          return limited;
        },
      },
      { getStore: () => limited },
    );
    const set = await runCaptured(["store", "limit", "2", "--add", "2", ...flags]);
    expect(set.stdout).toBe(
      "Store 2 takes in 2 peers at a time (its own limit), and gives 15 away (as all Stores)\n",
    );
    expect((await runCaptured(["store", "limit", "2", ...flags])).stdout).toBe(set.stdout);
    await runCaptured(["store", "limit", "2", "--add", "default", "--remove", "1", ...flags]);
    expect(requests).toEqual([
      [2n, 2, undefined],
      [2n, 0, 1],
    ]);
    const wrong = await runCaptured(["store", "limit", "2", "--add", "0", ...flags]);
    expect(wrong.stderr).toContain("--add 0 must be a whole number from 1 to 10000");
    expect(wrong.exitCode).toBe(2);
  });

  test("evict-leaders waits until the Store leads nothing, and --stop lets it lead again", async () => {
    const reported = (leaderCount: number) => ({
      status: { ...status(StoreState.UP, 4, leaderCount).status, stats: { capacityBytes: 1n } },
    });
    // Another member of PD leads from the second look on, and has heard nothing of the Store before the third.
    const looks = [reported(2), status(StoreState.DISCONNECTED, 4, 0), reported(1), reported(0)];
    const flags = await pd(
      { evictLeaders: () => status(StoreState.UP, 4, 2) },
      { getStore: () => looks.shift() as (typeof looks)[0] },
    );
    const { stdout, stderr } = await runCaptured(["store", "evict-leaders", "2", ...flags]);
    expect(stderr).toContain("Store 2 hands its leaderships away: 2 left");
    expect(looks).toEqual([]);
    expect(stdout).toBe("Store 2 leads nothing, until evict-leaders --stop\n");
    const stopped = await runCaptured(["store", "evict-leaders", "2", "--stop", ...flags]);
    expect(stopped.stdout).toBe("Store 2 may lead again\n");
  });
});

describe("SPEC-M7: unsafe-recover", () => {
  const waiting = [{ regionId: 7n, reason: "its peer on store 3 is taking a snapshot" }];
  const step = { order: { regionId: 5n, peerId: 51n }, storeId: 3n };
  const ended = {
    id: 9n,
    state: RecoveryState.DONE,
    steps: [{ ...step, state: RecoveryStepState.DONE }],
  };

  test("fails where Regions are left that it cannot bring back yet: it is to be run again", async () => {
    const plans = [
      { lostStoreIds: [1n, 2n], waiting },
      { lostStoreIds: [1n, 2n], waiting, steps: [step], fingerprint: "f" },
      { lostStoreIds: [1n, 2n], steps: [step], fingerprint: "f" },
    ];
    const flags = await pd({
      planRecovery: () => ({ plan: plans.shift() }),
      beginRecovery: () => ({ recovery: ended }),
      listRecoveries: () => ({ recoveries: [ended] }),
    });
    const args = ["unsafe-recover", "--lost-stores", "1,2", "--yes", ...flags];
    const nothing = await runCaptured(args);
    expect(nothing.stdout).toContain("Nothing can be done now: 1 Regions without a quorum");
    const some = await runCaptured(args);
    expect(some.stdout).toContain("1 Regions are not recovered yet: run the command again.");
    const all = await runCaptured(args);
    expect(all.stdout).toContain("Every one serves again");
    expect([nothing, some, all].map(({ exitCode }) => exitCode)).toEqual([1, 1, 0]);
  });

  test("fails where key ranges are left that nobody serves, and says how they would be", async () => {
    const lostRanges = [
      { startKey: new Uint8Array(), endKey: Uint8Array.of(0x62) },
      { startKey: Uint8Array.of(0x62), endKey: new Uint8Array() },
    ];
    const lost = { lostStoreIds: [1n, 2n], lostRanges };
    const work = { steps: [step], fingerprint: "f" };
    const plans = [
      lost,
      { ...lost, ...work },
      { ...lost, ...work, createEmpty: true },
      { ...lost, ...work, createEmpty: true },
    ];
    const region = { id: 70n };
    const ends = [
      { ...ended, emptyRegions: [] },
      { ...ended, emptyRegions: [region] },
      { ...ended, emptyRegions: [region, { id: 71n }] },
    ];
    const flags = await pd({
      planRecovery: () => ({ plan: plans.shift() }),
      beginRecovery: () => ({ recovery: ended }),
      listRecoveries: () => ({ recoveries: [ends.shift() ?? ended] }),
    });
    const args = ["unsafe-recover", "--lost-stores", "1,2", "--yes", ...flags];
    const nothing = await runCaptured(args);
    expect(nothing.stdout).toContain("No peer is left of 2 key ranges");
    const some = await runCaptured(args);
    expect(some.stdout).toContain(
      "2 key ranges of which nothing is left stay unserved: --create-empty makes",
    );
    const more = await runCaptured([...args, "--create-empty"]);
    expect(more.stdout).toContain(
      "1 key ranges of which nothing is left stay unserved: run the command again",
    );
    const all = await runCaptured([...args, "--create-empty"]);
    expect(all.stdout).toContain("Every one serves again");
    expect([nothing, some, more, all].map(({ exitCode }) => exitCode)).toEqual([1, 1, 1, 0]);
  });
});
