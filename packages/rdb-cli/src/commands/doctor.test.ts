import http from "node:http";
import type { AddressInfo } from "node:net";
import { PeerRole, StoreState } from "@flaredb/rdb-proto";
import { afterEach, describe, expect, test } from "vitest";
import { startFakePd } from "../testing/fake-pd.ts";
import { runCaptured } from "../testing/run-captured.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(stops.splice(0).map(async (stop) => stop())));

/** A process's HTTP endpoint that answers every request like this. */
async function startHealth(body: string, aheadMs = 0): Promise<string> {
  const server = http.createServer((_request, response) => {
    response.setHeader("Date", new Date(Date.now() + aheadMs).toUTCString());
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Cluster {
  readonly storeHealth: string;
  readonly storeState?: StoreState;
}

async function startCluster({ storeHealth, storeState = StoreState.UP }: Cluster): Promise<string[]> {
  const peer = { id: 1n, storeId: 1n, role: PeerRole.VOTER };
  const pdHealth = await startHealth('{"status":"serving","version":"0.1.0"}');
  const pd = await startFakePd(
    {
      getClusterInfo: () => ({
        bootstrapped: true,
        upStoreCount: 1,
        leaderMemberId: 1n,
        members: [{ id: 1n, name: "pd-1", httpAddress: pdHealth, isUp: true }],
      }),
      listStores: () => ({
        statuses: [
          {
            store: { id: 1n, state: storeState, httpAddress: storeHealth, programVersion: "0.1.0" },
            stats: { capacityBytes: 1024n ** 4n, availableBytes: 1024n ** 4n },
          },
        ],
      }),
      listRegions: () => ({ routes: [{ region: { id: 1n, peers: [peer] }, leader: peer }] }),
    },
    { getPlacementConfig: () => ({ settings: [{ name: "replicas", value: "1" }] }) },
  );
  stops.push(pd.stop);
  return ["--pd", pd.address];
}

describe("SPEC-U1: doctor", () => {
  test("says one line for each check, and exits with 0 when all is well", async () => {
    const flags = await startCluster({ storeHealth: await startHealth('{"status":"ok"}') });
    const { exitCode, stdout, stderr } = await runCaptured(["doctor", ...flags]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toBe(
      [
        "ok    pd         1 of 1 members answer, pd-1 leads",
        "ok    stores     1 up",
        "ok    leaders    all 1 Regions have one",
        "ok    peers      every Region has its peers, 1 each",
        "ok    lag        no peer is behind",
        "ok    key space  Regions cover every key once",
        "ok    disks      at least 1.0 TiB free everywhere",
        "ok    versions   all are 0.1.0",
        "ok    reachable  2 processes answer over HTTP",
        "ok    clocks     no two surely differ by 1 s or more",
        "",
      ].join("\n"),
    );
  });

  test("a clock that is far ahead is bad, and --json says the same", async () => {
    const storeHealth = await startHealth('{"status":"ok"}', 60_000);
    const flags = await startCluster({ storeHealth });
    const { exitCode, stdout } = await runCaptured(["doctor", "--json", ...flags]);
    expect(exitCode).toBe(1);
    const { healthy, findings } = JSON.parse(stdout) as { healthy: boolean; findings: { check: string }[] };
    expect(healthy).toBe(false);
    expect(findings.find(({ check }) => check === "clocks")).toMatchObject({
      level: "bad",
      message: expect.stringMatching(/^Store 1 is at least (5\d|60)\.\d s ahead of /),
      advice: expect.stringContaining("time server"),
    });
  });

  test("what only deserves a look does not fail it", async () => {
    const flags = await startCluster({ storeHealth: await startHealth("no JSON") });
    const { exitCode, stdout } = await runCaptured(["doctor", ...flags]);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^warn {2}reachable {2}no answer over HTTP from Store 1 at .*JSON.*\. is the process/m,
    );
  });

  test("a Store that is down fails it, and the line says what to do", async () => {
    const storeHealth = await startHealth("{}");
    const flags = await startCluster({ storeHealth, storeState: StoreState.DOWN });
    const { exitCode, stdout } = await runCaptured(["doctor", ...flags]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("BAD   stores     Store 1 does not answer PD. start them again");
  });

  test("without PD there is one finding", async () => {
    const flags = await startCluster({ storeHealth: "127.0.0.1:1" });
    await stops.pop()?.();
    const { exitCode, stdout } = await runCaptured(["doctor", "--json", ...flags]);
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ healthy: false, findings: [{ check: "pd", level: "bad" }] });
  });
});
