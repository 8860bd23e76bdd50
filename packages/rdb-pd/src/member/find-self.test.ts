import { createRouterTransport } from "@connectrpc/connect";
import { type Clock, RdbError, silentLogger, systemClock } from "@flaredb/rdb-base";
import { PdService } from "@flaredb/rdb-proto";
import { type Wire, toConnectError } from "@flaredb/rdb-wire";
import { describe, expect, test } from "vitest";
import { findSelf } from "./find-self.ts";
import { notLeaderError } from "./member-errors.ts";
import { DurableState } from "../cluster/durable-state.ts";

const LEADER = "127.0.0.1:7400";
const FOLLOWER = "127.0.0.1:7402";
const SILENT = "127.0.0.1:7404";

/** Whoever waits goes on at once. */
const hasty: Clock = {
  ...systemClock,
  setTimer: (_delayMs, callback) => systemClock.setTimer(0, callback),
};

/** A leader that knows pd-4, and a follower that names it. */
function group(): { readonly wire: Pick<Wire, "unary">; readonly asked: string[] } {
  const asked: string[] = [];
  const answers = new Map([
    [LEADER, () => ({ members: [{ id: 4n, name: "pd-4" }] })],
    [FOLLOWER, () => refuse(2)],
  ]);
  const unary: Wire["unary"] = (address) => ({
    transport: createRouterTransport(({ service }) =>
      service(PdService, {
        getClusterInfo: () => {
          asked.push(address);
          return (answers.get(address) ?? unavailable)();
        },
      }),
    ),
    close: () => {},
  });
  return { wire: { unary }, asked };
}

function refuse(memberId: number): never {
  const state = new DurableState();
  state.putMember({ id: 1, name: "pd-1", address: LEADER, httpAddress: "", isRemoved: false });
  throw toConnectError(notLeaderError(memberId, 1, state));
}

function unavailable(): never {
  throw toConnectError(new RdbError("RDB_PD_UNAVAILABLE", "nobody is there"));
}

describe("a member that joins finds its id", () => {
  test("by the address of a follower, which names the leader", async () => {
    const { wire, asked } = group();
    expect(await findSelf("pd-4", [FOLLOWER], { wire, clock: hasty, logger: silentLogger })).toBe(4);
    expect(asked).toEqual([FOLLOWER, LEADER]);
  });

  test("past one that does not answer", async () => {
    const { wire } = group();
    expect(await findSelf("pd-4", [SILENT, FOLLOWER], { wire, clock: hasty, logger: silentLogger })).toBe(4);
  });

  test("or hears that it was not added, or that nobody answers", async () => {
    const { wire } = group();
    await expect(
      findSelf("pd-5", [FOLLOWER], { wire, clock: hasty, logger: silentLogger }),
    ).rejects.toMatchObject({
      code: "RDB_NOT_FOUND",
      message: `the placement driver at ${LEADER} has no member pd-5: add it first, with rdb pd add-member`,
    });
    await expect(
      findSelf("pd-4", [SILENT], { wire, clock: hasty, logger: silentLogger }),
    ).rejects.toMatchObject({
      code: "RDB_PD_UNAVAILABLE",
      message: expect.stringContaining("nobody is there"),
    });
  });
});
