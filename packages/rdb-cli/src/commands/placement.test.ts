import { OperatorState } from "@flaredb/rdb-proto";
import { afterEach, describe, expect, test } from "vitest";
import { startFakePd } from "../testing/fake-pd.ts";
import { runCaptured } from "../testing/run-captured.ts";

let stop = async (): Promise<void> => {};
afterEach(() => stop());

async function pd(admin: NonNullable<Parameters<typeof startFakePd>[1]>): Promise<string[]> {
  const fake = await startFakePd({}, admin);
  stop = fake.stop;
  return ["--pd", fake.address];
}

/** A printed table's cells. */
function cells(table: string): string[][] {
  return table
    .trimEnd()
    .split("\n")
    .map((line) => line.trim().split(/ {2,}/));
}

const running = {
  id: 17n,
  kind: "replace-down-peer",
  origin: "replica-checker",
  regionId: 5n,
  state: OperatorState.RUNNING as OperatorState,
  steps: [
    { kind: "add-learner", text: "add learner 21 on store 4" },
    { kind: "remove-peer", text: "remove peer 12 on store 1" },
  ],
  currentStep: 1,
  createdMs: BigInt(Date.now() - 3_000),
  motive: "store 1 is down for 12 s",
};
const ended = {
  ...running,
  state: OperatorState.TIMED_OUT,
  createdMs: 1_000n,
  endedMs: BigInt(61_000),
  endReason: "timed-out",
};

describe("SPEC-M7: operator", () => {
  test("list prints a row for each, and fits the terminal", async () => {
    const flags = await pd({ listOperators: () => ({ operators: [running] }) });
    const { stdout } = await runCaptured(["operator", "list", ...flags]);
    expect(cells(stdout)).toEqual([
      ["OPERATOR", "REGION", "KIND", "BY", "STATE", "STEP", "AGE"],
      [
        "17",
        "5",
        "replace-down-peer",
        "replica-checker",
        "running",
        "2/2 remove peer 12 on store 1",
        expect.stringMatching(/^\d s$/),
      ],
    ]);
    const narrow = await runCaptured(["operator", "list", ...flags], { columns: 80 });
    expect(Math.max(...narrow.stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    const json = await runCaptured(["operator", "list", "--json", ...flags]);
    expect(JSON.parse(json.stdout)).toMatchObject([{ id: 17, state: "running", motive: running.motive }]);
  });

  test("list says when there is none", async () => {
    const flags = await pd({ listOperators: () => ({}) });
    const { stdout } = await runCaptured(["operator", "list", ...flags]);
    expect(stdout).toContain("no operator waits or runs");
  });

  test("show prints why it is there and how far it is", async () => {
    const flags = await pd({ getOperator: () => ({ operator: running }) });
    const { stdout } = await runCaptured(["operator", "show", "17", ...flags]);
    expect(stdout).toContain("why:       store 1 is down for 12 s\n");
    expect(stdout).toContain("steps:     [x] add learner 21 on store 4\n");
    expect(stdout).toContain("           [>] remove peer 12 on store 1\n");
  });

  test("watch follows it and exits with 1 when it ran out of time", async () => {
    const looks = [running, running, ended];
    const flags = await pd({ getOperator: () => ({ operator: looks.shift() as typeof running }) });
    const { exitCode, stderr } = await runCaptured(["operator", "watch", "17", ...flags]);
    expect(stderr).toContain("2/2 remove peer 12 on store 1");
    expect(stderr).toContain("was not carried out: timed out: timed-out\n");
    expect(exitCode).toBe(1);
  });

  test("cancel says how far it had come", async () => {
    const flags = await pd({ cancelOperator: () => ({ operator: running }) });
    const { stdout } = await runCaptured(["operator", "cancel", "17", ...flags]);
    expect(stdout).toBe("operator 17 (replace-down-peer of Region 5) was cancelled after 1 of 2 steps\n");
  });

  test("history asks for one Region's and prints how each ended", async () => {
    const requests: unknown[] = [];
    const flags = await pd({
      listOperatorHistory: ({ regionId, limit }) => {
        requests.push([regionId, limit]);
        return { operators: [ended] };
      },
    });
    const args = ["operator", "history", "--region", "5", "--limit", "3", ...flags];
    const { stdout } = await runCaptured(args);
    expect(requests).toEqual([[5n, 3]]);
    expect(cells(stdout)[1]?.slice(4, 6)).toEqual(["timed out: timed-out", "1 min 0 s"]);
  });

  test("explain prints a line for each checker and scheduler, and what rules Stores out", async () => {
    const flags = await pd({
      explainRegion: () => ({
        explanations: [
          { source: "replica-checker", acts: false, summary: "3 of 3 peers are live" },
          {
            source: "balance-region",
            acts: true,
            summary: "would move the peer on store 1 to store 4",
            ruledOut: [{ storeId: 3n, filter: "has-peer", reason: "peer 13 is there" }],
          },
        ],
      }),
    });
    const { stdout } = await runCaptured(["operator", "explain", "5", ...flags]);
    expect(stdout).toBe(
      "[ ] replica-checker: 3 of 3 peers are live\n" +
        "[>] balance-region: would move the peer on store 1 to store 4\n" +
        "      Store 3 is ruled out by has-peer: peer 13 is there\n",
    );
  });
});

describe("SPEC-M7: scheduler", () => {
  const balance = { name: "balance-region", runningCount: 2, doneCount: 9n, lastWord: "all is even" };

  test("list prints state and last word", async () => {
    const flags = await pd({
      listSchedulers: () => ({ schedulers: [balance, { name: "replica-checker", isChecker: true }] }),
    });
    const { stdout } = await runCaptured(["scheduler", "list", ...flags]);
    expect(cells(stdout)[1]).toEqual(["balance-region", "scheduler", "active", "2", "9", "all is even"]);
    expect(cells(stdout)[2]?.slice(0, 3)).toEqual(["replica-checker", "checker", "active"]);
  });

  test("pause for a time, pause until resumed, resume", async () => {
    const requests: unknown[] = [];
    const flags = await pd({
      pauseScheduler: ({ name, durationMs }) => {
        requests.push([name, durationMs]);
        const until = durationMs === 0n ? 0n : BigInt(Date.now()) + durationMs;
        return { scheduler: { ...balance, isPaused: true, pausedUntilMs: until } };
      },
      resumeScheduler: () => ({ scheduler: balance }),
    });
    const pause = ["scheduler", "pause", "balance-region", ...flags];
    expect((await runCaptured([...pause, "--for", "10m"])).stdout).toBe(
      "balance-region is paused for 10 min\n",
    );
    expect((await runCaptured(pause)).stdout).toBe("balance-region is paused\n");
    expect(requests).toEqual([
      ["balance-region", 600_000n],
      ["balance-region", 0n],
    ]);
    const resumed = await runCaptured(["scheduler", "resume", "balance-region", ...flags]);
    expect(resumed.stdout).toBe("balance-region is active\n");
  });

  const settings = [
    { name: "tolerance", value: "0.1", defaultValue: "0.05", description: "how far from even" },
    { name: "replicas", value: "3", defaultValue: "3", description: "peers of a Region" },
  ];

  test("config prints all settings, or those that are named", async () => {
    const flags = await pd({ getPlacementConfig: () => ({ settings }) });
    const { stdout } = await runCaptured(["scheduler", "config", ...flags]);
    expect(cells(stdout)).toEqual([
      ["SETTING", "VALUE", "DEFAULT", "MEANING"],
      ["tolerance", "0.1", "0.05", "how far from even"],
      ["replicas", "3", "peers of a Region"],
    ]);
    const one = await runCaptured(["scheduler", "config", "replicas", "--json", ...flags]);
    expect(JSON.parse(one.stdout)).toEqual([settings[1]]);
    const none = await runCaptured(["scheduler", "config", "nonsense", ...flags]);
    expect(none.stderr).toContain('there is no setting "nonsense"');
    expect(none.exitCode).toBe(2);
  });

  test("config changes what stands before an equals sign, and prints what it is now", async () => {
    const requests: unknown[] = [];
    const flags = await pd({
      setPlacementConfig: ({ values }) => {
        requests.push(values);
        return { settings };
      },
    });
    const { stdout } = await runCaptured(["scheduler", "config", "tolerance=0.1", ...flags]);
    expect(requests).toEqual([{ tolerance: "0.1" }]);
    expect(cells(stdout)).toHaveLength(2);
  });
});
