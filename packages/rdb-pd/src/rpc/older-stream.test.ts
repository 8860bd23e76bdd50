import { create } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { storeId } from "@flaredb/rdb-base";
import { type RegionHeartbeatRequest, RegionHeartbeatRequestSchema } from "@flaredb/rdb-proto";
import { expect, test } from "vitest";
import { CommandQueue } from "../heartbeat/command-queue.ts";
import { type HeartbeatStream, HeartbeatStreams } from "../heartbeat/heartbeat-streams.ts";
import type { PlacementDriver } from "../placement-driver.ts";
import { heartbeatHandler } from "./region-heartbeat.ts";

type Requests = CommandQueue<RegionHeartbeatRequest>;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function say(requests: Requests): void {
  requests.push(create(RegionHeartbeatRequestSchema, { clusterId: 9n, storeId: 1n, bootId: 7n }));
}

test("what a Store said on an older stream is not heard after what it says on its new one", async () => {
  const streams = new HeartbeatStreams();
  const heard: HeartbeatStream[] = [];
  const driver = {
    openStream: () => streams.open(storeId(1), 7n),
    closeStream: (stream: HeartbeatStream) => streams.close(stream),
    heartbeats: { timed: (_kind: string, _count: number, take: () => Promise<void>) => take() },
    regionHeartbeat: async (stream: HeartbeatStream) => {
      heard.push(stream);
      // Some go through PD's log: those behind them wait.
      await turn();
    },
  } as unknown as PlacementDriver;
  const handler = heartbeatHandler(driver);
  const begin = (requests: Requests): Promise<unknown> => {
    say(requests);
    const commands = handler(requests, {} as HandlerContext)[Symbol.asyncIterator]();
    return commands.next().catch((error: unknown) => error);
  };
  const [older, newer] = [
    new CommandQueue<RegionHeartbeatRequest>(9),
    new CommandQueue<RegionHeartbeatRequest>(9),
  ];
  const ended = begin(older);
  say(older);
  void begin(newer);
  expect(await ended).toMatchObject({ code: "RDB_CLOSED" });
  say(newer);
  for (let turns = 0; turns < 9; turns++) {
    await turn();
  }
  const [first, second] = [heard[0], heard.at(-1)];
  expect(heard).toEqual([first, second, second]);
  expect(first).not.toBe(second);
});
