import { create, toBinary } from "@bufbuild/protobuf";
import { RdbError, storeId } from "@flaredb/rdb-base";
import {
  PdCommandSchema,
  RecoveryResultSchema,
  RecoverySchema,
  RecoveryState,
  RecoveryStepState,
} from "@flaredb/rdb-proto";
import { describe, expect, test } from "vitest";
import { DurableState } from "../cluster/durable-state.ts";
import { rangesFromSplitKeys } from "../cluster/initial-regions.ts";
import { registerCommand } from "../testing/registration.ts";
import { operatorRecord } from "../testing/operator-record.ts";
import { key, region } from "../testing/regions.ts";
import { applyCommand } from "./apply.ts";
import { decodeCommand, encodeCommand } from "./command-codec.ts";
import type { PdCommand } from "./command.ts";
import { decodeState, encodeRow } from "./state-rows.ts";

const config = { bootstrapStoreCount: 3, replicaCount: 3, initialRanges: rangesFromSplitKeys([key("m")]) };

/** One of each kind, in an order in which they can be applied. */
const commands: readonly PdCommand[] = [
  { kind: "InitializeCluster", clusterId: Number.MAX_SAFE_INTEGER },
  { kind: "ConfigureCluster", config },
  { kind: "LeaseIds", count: 1_000 },
  registerCommand({ address: "127.0.0.1:7410", bootId: 2n ** 64n - 1n }),
  registerCommand({ address: "127.0.0.1:7411" }),
  registerCommand({ address: "127.0.0.1:7412", storeId: undefined, labels: {} }),
  registerCommand({ address: "127.0.0.1:7412", registrationToken: "successor" }, [3]),
  { kind: "PlaceInitialRegions", storeIds: [1, 2, 4].map(storeId) },
  {
    kind: "UpdateRoutes",
    regions: [region({ id: 1_001, range: "-f", version: 2 }), region({ id: 5, range: "f-m", version: 2 })],
  },
  { kind: "UpdateRoutes", regions: [region({ id: 6, range: "-m", version: 3 })] },
  { kind: "RecordOperators", operators: [operatorRecord(7, "Waiting"), operatorRecord(8, "Running")] },
  { kind: "RecordOperators", operators: [operatorRecord(7, "Done"), operatorRecord(9, "TimedOut")] },
  { kind: "SetStore", storeId: storeId(1), isDraining: true, evictsLeaders: undefined, labels: {} },
  { kind: "SetStore", storeId: storeId(2), evictsLeaders: true, isDraining: undefined, labels: { host: "" } },
  { kind: "SetPlacement", settings: { replicas: "5", locationLabels: '["rack"]' } },
  { kind: "PauseScheduler", name: "merge", isPaused: true, untilMs: 1_234 },
  { kind: "PauseScheduler", name: "balance-region", isPaused: true, untilMs: 0 },
  { kind: "PauseScheduler", name: "merge", isPaused: false, untilMs: 0 },
  {
    kind: "BeginRecovery",
    recovery: create(RecoverySchema, {
      ...{ id: 77n, state: RecoveryState.RUNNING, lostStoreIds: [2n], startedMs: 5n },
      steps: [{ order: { recoveryId: 77n, regionId: 6n }, state: RecoveryStepState.PENDING }],
    }),
  },
  {
    kind: "RecordRecovery",
    ...{ recoveryId: 77, isCancelled: false, nowMs: 9 },
    results: [create(RecoveryResultSchema, { recoveryId: 77n, regionId: 6n, ok: true })],
  },
];

test.each(commands.map((command) => [command.kind, command] as const))(
  "%s comes back as it went",
  (_, command) => {
    const id = { proposer: 2 ** 53 - 1, sequence: 42 };
    expect(decodeCommand(encodeCommand(id, command))).toEqual({ id, command });
  },
);

test("a command of a newer program is refused, not skipped", () => {
  const newer = toBinary(PdCommandSchema, create(PdCommandSchema, { proposer: 1n, sequence: 2n }));
  const error = (() => {
    try {
      return decodeCommand(newer);
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toBeInstanceOf(RdbError);
  expect((error as RdbError).code).toBe("RDB_DATA_FORMAT");
});

describe("SPEC-M7: rows of the applied state", () => {
  test("the rows that each command changed, written one upon the other, hold the whole state", () => {
    const state = new DurableState();
    const rows = new Map<string, { key: Uint8Array; value: Uint8Array }>();
    for (const command of commands) {
      applyCommand(state, command);
      for (const changed of state.takeChangedRows()) {
        const row = encodeRow(state, changed);
        rows.delete(row.key.join());
        if (row.value !== undefined) {
          rows.set(row.key.join(), { key: row.key, value: row.value });
        }
      }
      expectSame(decodeState(rows.values()), state);
    }
    expect(state.regions.all().map((each) => each.id)).toEqual([6, 1_002]);
    expect([...state.forming]).toEqual([1_002]);
  });

  test("a row of a newer program is refused", () => {
    const row = { key: Uint8Array.of(99, 0, 0, 0, 0, 0, 0, 0, 1), value: new Uint8Array(0) };
    expect(() => decodeState([row])).toThrow("row of kind 99");
  });

  test("rows of Regions that overlap are found", () => {
    const rows = [region({ id: 1, range: "-m" }), region({ id: 2, range: "a-z", version: 2 })].map((each) => {
      const state = new DurableState();
      state.putRegion(each);
      return encodeRow(state, { kind: "Region", id: each.id }) as { key: Uint8Array; value: Uint8Array };
    });
    expect(() => decodeState(rows)).toThrow("overlaps another one: region 1");
  });
});

function expectSame(actual: DurableState, expected: DurableState): void {
  expect(actual.cluster).toEqual(expected.cluster);
  expect(actual.stores).toEqual(expected.stores);
  expect(actual.recoveries).toEqual(expected.recoveries);
  expect(actual.regions.all()).toEqual(expected.regions.all());
  expect(new Set(actual.forming)).toEqual(new Set(expected.forming));
  expect(actual.operators).toEqual(expected.operators);
  expect(actual.placement).toEqual(expected.placement);
}
