import { clusterVersions, silentLogger, storeId } from "@flaredb/rdb-base";
import { beforeEach, describe, expect, test } from "vitest";
import { applyCommand } from "../command/apply.ts";
import { decodeCommand, encodeCommand } from "../command/command-codec.ts";
import type { CommandKind, CommandOf, CommandResults } from "../command/command.ts";
import { decodeState, encodeRow } from "../command/state-rows.ts";
import { registerCommand } from "../testing/registration.ts";
import { ClusterState } from "./cluster-state.ts";
import { ClusterVersionKeeper } from "./cluster-version-keeper.ts";
import { DurableState } from "./durable-state.ts";
import type { VersionedProcess } from "./next-cluster-version.ts";

const { oldest, newest } = clusterVersions;

let cluster: ClusterState;
let members: VersionedProcess[];
let raisedCount: number;
/** Happens after a command was proposed and before it is applied. */
let meanwhile: () => void;
let keeper: ClusterVersionKeeper;

beforeEach(() => {
  cluster = new ClusterState(new DurableState(), 0, () => 60_000);
  members = [{ name: "PD member pd-1", clusterVersion: newest }];
  raisedCount = 0;
  meanwhile = () => {};
  keeper = new ClusterVersionKeeper({
    ...{ cluster, logger: silentLogger },
    members: () => members,
    raised: () => (raisedCount += 1),
    log: {
      propose: async <Kind extends CommandKind>(command: CommandOf<Kind>) => {
        const { command: applied } = decodeCommand(encodeCommand({ proposer: 1, sequence: 1 }, command));
        meanwhile();
        return applyCommand(cluster.durable, applied) as CommandResults[Kind];
      },
    },
  });
});

/** A Store registers, in a new process each time. */
function register(port: number, clusterVersion: number, id?: number): void {
  const { store } = applyCommand(
    cluster.durable,
    registerCommand({
      address: `127.0.0.1:${port}`,
      bootId: BigInt(++bootCount),
      clusterVersion,
      ...(id === undefined ? {} : { storeId: storeId(id) }),
    }),
  ) as CommandResults["RegisterStore"];
  cluster.registered(store);
  cluster.activity(store.id).clusterVersion = clusterVersion;
}

let bootCount = 0;

describe("the cluster version", () => {
  test("rises when the last of Stores and members knows the newer one, and not before", async () => {
    members.push({ name: "PD member pd-2", clusterVersion: oldest });
    register(1, newest);
    register(2, oldest);
    await keeper.raise();
    expect(cluster.durable.clusterVersion).toBe(oldest);
    register(2, newest, 2);
    await keeper.raise();
    expect([cluster.durable.clusterVersion, raisedCount]).toEqual([oldest, 0]);
    members[1] = { name: "PD member pd-2", clusterVersion: newest };
    await keeper.raise();
    expect([cluster.durable.clusterVersion, raisedCount]).toEqual([newest, 1]);
    await keeper.raise();
    expect(raisedCount).toBe(1);
  });

  test("waits for a Store that is down, and not for one that is gone for good", async () => {
    register(1, newest);
    register(2, oldest);
    await keeper.raise();
    expect(keeper.next.waitsFor).toEqual(["the program of Store 2 knows version 1"]);
    const down = cluster.durable.stores.get(storeId(2));
    cluster.durable.putStore({ ...(down as NonNullable<typeof down>), isTombstone: true });
    await keeper.raise();
    expect(cluster.durable.clusterVersion).toBe(newest);
  });

  test("does not rise past a Store whose older program registers meanwhile", async () => {
    register(1, newest);
    register(2, newest);
    meanwhile = () => register(2, oldest, 2);
    await keeper.raise();
    expect([cluster.durable.clusterVersion, raisedCount]).toEqual([oldest, 0]);
  });

  test("keeps older programs out from then on, and is read back as it was", async () => {
    register(1, newest);
    await keeper.raise();
    expect(() => register(2, oldest)).toThrow(/has version 2, the program of the new store .* knows up to 1/);
    expect(() => register(1, oldest, 1)).toThrow(/store 1/);
    const rows = cluster.durable.allRows().map((row) => encodeRow(cluster.durable, row));
    const again = decodeState(rows.map(({ key, value }) => ({ key, value: value as Uint8Array })));
    expect(again.clusterVersion).toBe(newest);
    expect(again.stores.get(storeId(1))?.clusterVersion).toBe(newest);
    // A PD that leads from here on needs not hear of the Store to know.
    expect(new ClusterState(again, 0, () => 1).clusterVersionOf([...again.stores.values()][0] as never)).toBe(
      newest,
    );
  });

  test("before it rises, nothing of it is written that an older member would not know", () => {
    register(1, newest);
    const kinds = cluster.durable.allRows().map(({ kind }) => kind);
    expect(kinds).not.toContain("ClusterVersion");
    expect(cluster.durable.stores.get(storeId(1))?.clusterVersion).toBe(oldest);
  });
});

test("a member that is too old for a version in the log or in its rows does not go on", () => {
  const command = { kind: "SetClusterVersion", version: newest + 1, stores: [] } as const;
  expect(() => decodeCommand(encodeCommand({ proposer: 1, sequence: 1 }, command))).toThrow(
    expect.objectContaining({ code: "RDB_DATA_FORMAT" }),
  );
  const state = new DurableState();
  state.clusterVersion = newest + 1;
  const row = encodeRow(state, { kind: "ClusterVersion" });
  expect(() => decodeState([{ key: row.key, value: row.value as Uint8Array }])).toThrow(
    expect.objectContaining({ code: "RDB_DATA_FORMAT" }),
  );
});
