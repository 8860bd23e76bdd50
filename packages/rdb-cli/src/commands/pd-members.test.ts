import { RdbError } from "@flaredb/rdb-base";
import { afterEach, expect, test } from "vitest";
import { startFakePd } from "../testing/fake-pd.ts";
import { runCaptured } from "../testing/run-captured.ts";

type Methods = Parameters<typeof startFakePd>;

const stops: (() => Promise<void>)[] = [];
afterEach(() => Promise.all(stops.splice(0).map(async (stop) => stop())));

async function pd(others: Methods[0], admin: NonNullable<Methods[1]> = {}): Promise<string> {
  const fake = await startFakePd(others, admin);
  stops.push(fake.stop);
  return fake.address;
}

const members = [
  { id: 1n, name: "pd-1", address: "127.0.0.1:7400", httpAddress: "127.0.0.1:7401", isUp: true },
  { id: 2n, name: "pd-2", address: "127.0.0.1:7402", httpAddress: "", isUp: false },
  { id: 4n, name: "pd-4", address: "127.0.0.1:7404", httpAddress: "", isLearner: true, isUp: true },
];
const info = { members, leaderMemberId: 1n };

/** What a member says that does not lead. */
function follower(leaderAddress?: string): Methods[0] {
  return {
    getClusterInfo: () => {
      throw new RdbError("RDB_NOT_LEADER", "PD member 2 does not lead", {
        details: leaderAddress === undefined ? {} : { leaderAddress },
      });
    },
  };
}

test("rdb pd members lists who leads, who follows, and who does not answer", async () => {
  const address = await pd({ getClusterInfo: () => info });
  const { exitCode, stdout } = await runCaptured(["pd", "members", "--pd", address]);
  expect(exitCode).toBe(0);
  expect(stdout).toBe(
    [
      "MEMBER  NAME  ROLE     STATE            ADDRESS         HTTP",
      "     1  pd-1  leader   up               127.0.0.1:7400  127.0.0.1:7401",
      "     2  pd-2  voter    does not answer  127.0.0.1:7402",
      "     4  pd-4  learner  up               127.0.0.1:7404",
      "",
    ].join("\n"),
  );
  const json = await runCaptured(["pd", "members", "--json", "--pd", address]);
  expect(JSON.parse(json.stdout)[2]).toEqual({
    ...{ id: 4, name: "pd-4", address: "127.0.0.1:7404", httpAddress: "" },
    ...{ isLeader: false, isLearner: true, isUp: true, clusterVersion: 0 },
  });
});

test("who knows one member follows it to the leader", async () => {
  const leader = await pd({ getClusterInfo: () => info });
  const address = await pd(follower(leader));
  expect((await runCaptured(["pd", "members", "--pd", address])).exitCode).toBe(0);
});

test("an election is waited out, as long as the timeout allows", async () => {
  let askedCount = 0;
  const address = await pd({
    getClusterInfo: (...args) => {
      askedCount += 1;
      return askedCount < 3 ? (follower().getClusterInfo?.(...args) ?? info) : info;
    },
  });
  expect((await runCaptured(["pd", "members", "--pd", address])).exitCode).toBe(0);
  expect(askedCount).toBe(3);
  const never = await pd(follower());
  const { exitCode, stderr } = await runCaptured(["pd", "members", "--timeout", "300ms", "--pd", never]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("does not lead");
});

test.each([
  ["127.0.0.1:7409", "--host 127.0.0.1 --port 7409 --http-port PORT"],
  ["10.0.0.4:7400", "--host 10.0.0.4 --port 7400 --http-port PORT --insecure"],
  ["[fd00::4]:7400", "--host fd00::4 --port 7400 --http-port PORT --insecure"],
])("rdb pd add-member says how to start the new one at %s", async (joining, listen) => {
  const requests: unknown[] = [];
  const address = await pd(
    {},
    {
      addPdMember: ({ name, address: at }) => {
        requests.push([name, at]);
        return { member: { id: 4n, name, address: at, isLearner: true } };
      },
    },
  );
  const { exitCode, stdout } = await runCaptured(["pd", "add-member", "pd-4", joining, "--pd", address]);
  expect(exitCode).toBe(0);
  expect(requests).toEqual([["pd-4", joining]]);
  expect(stdout).toContain(`rdb pd --name pd-4 --data-dir DIR ${listen} --join ${address}`);
});

test("rdb pd remove-member says what the placement driver refuses", async () => {
  const message = "removing PD member 2 would leave the placement driver without a quorum";
  const address = await pd(
    {},
    {
      removePdMember: ({ memberId }) => {
        if (memberId === 2n) {
          throw new RdbError("RDB_INVALID_ARGUMENT", message);
        }
        return {};
      },
    },
  );
  expect(await runCaptured(["pd", "remove-member", "2", "--pd", address])).toMatchObject({
    exitCode: 1,
    stderr: `error: ${message}\n`,
  });
  expect(await runCaptured(["pd", "remove-member", "3", "--pd", address])).toMatchObject({
    exitCode: 0,
    stdout: "PD member 3 is removed; its process ends by itself\n",
  });
});

test("rdb pd transfer-leader asks until the other one leads", async () => {
  let askedCount = 0;
  const address = await pd(
    { getClusterInfo: () => ({ members, leaderMemberId: askedCount < 2 ? 1n : 2n }) },
    {
      transferPdLeader: () => {
        askedCount += 1;
        return {};
      },
    },
  );
  const { exitCode, stdout } = await runCaptured(["pd", "transfer-leader", "2", "--pd", address]);
  expect(exitCode).toBe(0);
  expect(stdout).toBe("PD member 2 leads the placement driver\n");
  expect(askedCount).toBe(2);
});

test("rdb pd transfer-leader gives up in time", async () => {
  const address = await pd({ getClusterInfo: () => info }, { transferPdLeader: () => ({}) });
  const flags = ["--timeout", "300ms", "--pd", address];
  const { exitCode, stderr } = await runCaptured(["pd", "transfer-leader", "2", ...flags]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("PD member 1 still leads: the transfer to member 2 came to nothing");
});
