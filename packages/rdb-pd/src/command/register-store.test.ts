import { RdbError, storeId } from "@flaredb/rdb-base";
import { describe, expect, test } from "vitest";
import { DurableState } from "../cluster/durable-state.ts";
import { checkSender } from "../sender-check.ts";
import { registerCommand } from "../testing/registration.ts";
import { registerStore } from "./register-store.ts";

function refusal(act: () => unknown): RdbError {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(RdbError);
    return error as RdbError;
  }
  throw new Error("was not refused");
}

function bootIdOf(state: DurableState, id: number): bigint {
  return state.stores.get(storeId(id))?.bootId ?? 0n;
}

function stateWithStore(): DurableState {
  const state = new DurableState();
  expect(registerStore(state, registerCommand()).store.id).toBe(1);
  return state;
}

describe("SPEC-M7: registration of Stores", () => {
  test("new Stores get ids that rise by one", () => {
    const state = stateWithStore();
    expect(registerStore(state, registerCommand({ address: "127.0.0.1:7411" })).store.id).toBe(2);
    expect([...state.stores.keys()]).toEqual([1, 2]);
  });

  test("the same token again is the same Store, even from another address", () => {
    const state = stateWithStore();
    const token = registerCommand().registration.registrationToken;
    const again = registerStore(state, registerCommand({ registrationToken: token, address: "127.0.0.1:9" }));
    expect(again.store).toMatchObject({ id: 1, address: "127.0.0.1:9" });
    expect(state.stores.size).toBe(1);
    expect(state.cluster.nextStoreId).toBe(2);
  });

  test("a returning Store keeps its id and token, and may move", () => {
    const state = stateWithStore();
    const { store } = registerStore(
      state,
      registerCommand({
        storeId: storeId(1),
        registrationToken: "",
        address: "127.0.0.1:9",
        bootId: 12n,
        startedMs: 2_000,
      }),
    );
    expect(store).toMatchObject({
      id: 1,
      address: "127.0.0.1:9",
      registrationToken: "token of 127.0.0.1:7410",
      bootId: 12n,
      startedMs: 2_000,
    });
  });

  test("a repeated call of the same process does not move its start", () => {
    const state = stateWithStore();
    const { store } = registerStore(state, registerCommand({ startedMs: 9_999 }));
    expect(store.startedMs).toBe(1_000);
  });

  test("an id that was never given out is refused", () => {
    const error = refusal(() => registerStore(stateWithStore(), registerCommand({ storeId: storeId(7) })));
    expect(error.code).toBe("RDB_NOT_FOUND");
    expect(error.message).toContain("store 7");
  });

  test.each([
    ["a new store", registerCommand({ registrationToken: "another" }), "a new store"],
    ["a returning store", registerCommand({ storeId: storeId(2) }), "store 2"],
  ])("the address of a Store that answers is refused to %s, naming both", (_, command, claimant) => {
    const state = stateWithStore();
    registerStore(state, registerCommand({ address: "127.0.0.1:7411" }));
    state.takeChangedRows();
    const error = refusal(() => registerStore(state, command));
    expect(error.code).toBe("RDB_ALREADY_EXISTS");
    expect(error.message).toContain(`address 127.0.0.1:7410 of ${claimant} is that of store 1`);
    expect(error.details).toEqual({ address: "127.0.0.1:7410", storeId: 1 });
    expect(state.takeChangedRows()).toEqual([]);
    expect(state.cluster.nextStoreId).toBe(3);
  });

  test("the address of a silent Store goes to the new one, and the silent one is gone for good", () => {
    const state = stateWithStore();
    const { store, replaced } = registerStore(state, registerCommand({ registrationToken: "another" }, [1]));
    expect(store).toMatchObject({ id: 2, isTombstone: false });
    expect(replaced).toMatchObject({ id: 1, isTombstone: true, replacedBy: 2 });
    expect(state.stores.get(storeId(1))?.isTombstone).toBe(true);

    const error = refusal(() =>
      registerStore(state, registerCommand({ storeId: storeId(1), address: "127.0.0.1:9" })),
    );
    expect(error.code).toBe("RDB_DATA_FOREIGN");
    expect(error.message).toContain("store 2 took its address");
    // A tombstone's address is nobody's: the new owner may leave it and come back.
    registerStore(state, registerCommand({ storeId: storeId(2), address: "127.0.0.1:9" }));
    expect(registerStore(state, registerCommand({ storeId: storeId(2) })).replaced).toBeUndefined();
  });

  test("known Stores whose addresses go round are all kept", () => {
    const state = new DurableState();
    const addresses = ["127.0.0.1:7410", "127.0.0.1:7411", "127.0.0.1:7412"] as const;
    const [first, second, third] = addresses;
    for (const address of addresses) {
      registerStore(state, registerCommand({ address }));
    }
    const { clusterId } = state.cluster;
    const checkSecond = (): void =>
      checkSender(state, { clusterId, storeId: storeId(2), bootId: bootIdOf(state, 2) });
    const move = (id: number, address: string): unknown =>
      registerStore(
        state,
        registerCommand(
          { storeId: storeId(id), registrationToken: "", address },
          [1, 2, 3].filter((other) => other !== id),
        ),
      ).replaced;
    expect(move(1, second)).toBeUndefined();
    // Its process may only have been cut off: it must not go on without an address.
    expect(refusal(checkSecond).code).toBe("RDB_STORE_NOT_MATCH");
    expect([move(3, first), move(2, third)]).toEqual([undefined, undefined]);
    checkSecond();
    expect([...state.stores.values()].map(({ address, isTombstone }) => [address, isTombstone])).toEqual([
      [second, false],
      [third, false],
      [first, false],
    ]);
  });

  test("that another Store is silent does not give away this one's address", () => {
    const state = stateWithStore();
    registerStore(state, registerCommand({ address: "127.0.0.1:7411" }));
    expect(refusal(() => registerStore(state, registerCommand({ registrationToken: "x" }, [2]))).code).toBe(
      "RDB_ALREADY_EXISTS",
    );
  });
});
