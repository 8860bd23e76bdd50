import { afterEach, expect, test } from "vitest";
import { noDataReader } from "../data/data-reader.ts";
import { noDataWriter } from "../data/data-writer.ts";
import { HttpServer, type HttpSource } from "./http-server.ts";

let server: HttpServer | undefined;

afterEach(() => server?.close());

type Group = HttpSource["group"];

async function healthOf(group: Partial<Group> | undefined): Promise<{ status: number; body: unknown }> {
  server = new HttpServer({ host: "127.0.0.1", port: 0 });
  await server.listen();
  if (group !== undefined) {
    server.show({
      group: {
        memberId: 2,
        leaderMemberId: 0,
        appliedIndex: 9,
        clusterId: 7,
        isServing: false,
        members,
        ...group,
      },
      get driver(): never {
        throw new Error("only the leader has one");
      },
      get calls(): never {
        throw new Error("only the leader is asked");
      },
      get traffic(): never {
        throw new Error("only the leader has some");
      },
      data: noDataReader,
      dataWriter: noDataWriter("off"),
    });
  }
  const response = await fetch(`http://${server.address}/health`);
  return { status: response.status, body: await response.json() };
}

function members(): never {
  throw new Error("health does not list the members");
}

test.for([
  { who: "a leader", group: { leaderMemberId: 2, isServing: true }, code: 200, status: "serving" },
  { who: "one that follows", group: { leaderMemberId: 1 }, code: 200, status: "following" },
  { who: "one that knows no leader", group: { leaderMemberId: 0 }, code: 503, status: "leaderless" },
  {
    who: "one elected that does not serve yet",
    group: { leaderMemberId: 2 },
    code: 503,
    status: "leaderless",
  },
])("health of $who is $code", async ({ group, code, status }) => {
  const { leaderMemberId } = group;
  expect(await healthOf(group)).toMatchObject({
    status: code,
    body: { status, clusterId: 7, memberId: 2, leaderMemberId, appliedIndex: 9 },
  });
});

test("health is 503 while PD starts", async () => {
  expect(await healthOf(undefined)).toMatchObject({ status: 503, body: { code: "RDB_UNAVAILABLE" } });
});
