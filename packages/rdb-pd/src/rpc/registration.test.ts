import { clusterVersions } from "@flaredb/rdb-base";
import { StoreState } from "@flaredb/rdb-proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeStore } from "../testing/fake-store.ts";
import { refusal, registered } from "../testing/pd-cluster.ts";
import { TestPd } from "../testing/test-pd.ts";

let pd: TestPd;

beforeEach(async () => {
  pd = await TestPd.start({ initialSplitKeys: ["m"] });
});

afterEach(() => pd.close());

describe("SPEC-M7: registration", () => {
  test("a Store of another cluster is refused", async () => {
    const store = new FakeStore(pd.client(), "127.0.0.1:7410");
    store.clusterId = 12_345n;
    const error = await refusal(store.register());
    expect(error.code).toBe("RDB_CLUSTER_MISMATCH");
    expect(error.message).toContain("belongs to cluster 12345");
  });

  test("a lost answer costs no second id: the same token gets the same one", async () => {
    const first = await registered(pd, 7410);
    const again = await registered(pd, 7410);
    expect(again.storeId).toBe(first.storeId);
    expect((await registered(pd, 7411)).storeId).toBe(2n);
  });

  test("the address of a Store that is up is refused; once it is silent, the newcomer takes it", async () => {
    await registered(pd, 7410);
    const register = () =>
      pd.client().registerStore({
        ...{ address: "127.0.0.1:7410", registrationToken: "another", bootId: 5n },
        clusterVersion: clusterVersions.newest,
      });
    const error = await refusal(register());
    expect(error.code).toBe("RDB_ALREADY_EXISTS");
    expect(error.message).toContain("address 127.0.0.1:7410 of a new store is that of store 1");
    pd.clock.advance(6_001);
    expect((await register()).storeId).toBe(2n);
    const { status } = await pd.client().getStore({ storeId: 1n });
    expect(status?.store?.state).toBe(StoreState.TOMBSTONE);
  });

  test("two processes of one Store: the older one is refused from then on", async () => {
    const older = await registered(pd, 7410);
    older.openStream();
    await older.next("storeList");
    const newer = new FakeStore(pd.client(), older.address, 2n);
    Object.assign(newer, { storeId: older.storeId, clusterId: older.clusterId });
    await newer.register();
    expect((await refusal(older.heartbeat())).code).toBe("RDB_STORE_NOT_MATCH");
    older.keepalive();
    expect(await older.streamEnd()).toMatchObject({ code: "RDB_STORE_NOT_MATCH" });
  });

  test.each([
    [{ address: "", registrationToken: "t" }, "address must not be empty"],
    [{ address: "a:1", registrationToken: "" }, "registration_token must not be empty"],
    [{ address: "a".repeat(257), registrationToken: "t" }, "address has 257 characters, the limit is 256"],
    [{ address: "nowhere", registrationToken: "t" }, 'address "nowhere" must be host:port'],
    [{ address: "a:1", registrationToken: "t", labels: { "": "x" } }, "labels must not be empty"],
    [{ address: "a:1", storeId: 2n ** 60n }, "store id 1152921504606846976 must be an integer from 0"],
    [{ address: "a:1", storeId: 9n }, "store 9 was never registered here"],
  ])("%o is refused: %s", async (request, message) => {
    expect((await refusal(pd.client().registerStore(request))).message).toContain(message);
  });

  test("every Store hears of every address, at the beginning and when one joins or moves", async () => {
    const one = await registered(pd, 7410);
    one.openStream();
    const atFirst = await one.next("storeList");
    expect(atFirst.value.stores.map((store) => store.address)).toEqual(["127.0.0.1:7410"]);
    const two = await registered(pd, 7411);
    const joined = await one.next("storeList");
    expect(joined.value.stores.map((store) => store.id)).toEqual([1n, 2n]);
    const { storeId, clusterId, clusterVersion } = two;
    await two.client.registerStore({
      clusterVersion,
      storeId,
      clusterId,
      address: "127.0.0.1:9999",
      bootId: 2n,
    });
    const moved = await one.next("storeList");
    expect(moved.value.stores.map((store) => store.address)).toEqual(["127.0.0.1:7410", "127.0.0.1:9999"]);
  });
});
