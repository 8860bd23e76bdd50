import { type Region } from "@flaredb/rdb-proto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bootstrapped, refusal } from "../testing/pd-cluster.ts";
import { key } from "../testing/regions.ts";
import { TestPd } from "../testing/test-pd.ts";

let pd: TestPd;

beforeEach(async () => {
  pd = await TestPd.start({ initialSplitKeys: ["m"] });
});

afterEach(() => pd.close());

describe("SPEC-M7: where a key is", () => {
  test("the Region, its leader and the Stores of its peers", async () => {
    const { stores, regions } = await bootstrapped(pd);
    const { client } = stores[0];
    const { route, stores: peers } = await client.getRegion({ key: key("apple") });
    expect(route).toMatchObject({
      region: regions[0],
      leader: regions[0]?.peers[0],
      term: 6n,
      approximateSizeBytes: 1_000n,
    });
    expect(peers.map((store) => store.address)).toEqual([
      "127.0.0.1:7410",
      "127.0.0.1:7411",
      "127.0.0.1:7412",
    ]);
    expect((await client.getRegion({ key: key("m") })).route?.region?.id).toBe(2n);
    expect((await client.getRegion({ key: key("m"), before: true })).route?.region?.id).toBe(1n);
    expect((await client.getRegion({ before: true })).route?.region?.id).toBe(2n);
    expect((await client.getRegionById({ regionId: 2n })).route?.region).toEqual(regions[1]);
    expect((await refusal(client.getRegionById({ regionId: 77n }))).code).toBe("RDB_NOT_FOUND");
    expect((await refusal(client.getStore({ storeId: 77n }))).code).toBe("RDB_NOT_FOUND");
    // Where a scan goes on behind the longest key.
    expect((await client.getRegion({ key: new Uint8Array(4_097) })).route?.region?.id).toBe(1n);
    expect((await refusal(client.getRegion({ key: new Uint8Array(4_098) }))).message).toContain(
      "keyMaxBytes + 1 is 4097",
    );
  });

  test("Regions come in pages", async () => {
    const { stores } = await bootstrapped(pd);
    const { client } = stores[0];
    const first = await client.listRegions({ limit: 1 });
    expect([first.routes.map((route) => route.region?.id), first.nextKey]).toEqual([[1n], key("m")]);
    const second = await client.listRegions({ limit: 1, startKey: first.nextKey });
    expect([second.routes.map((route) => route.region?.id), second.nextKey]).toEqual([[2n], key("")]);
    expect((await client.listRegions({})).routes).toHaveLength(2);
    expect((await refusal(client.listRegions({ limit: 1_001 }))).message).toContain(
      "limit 1001 must be <= 1000",
    );
  });

  test("SCENARIOS 58: a split is known at once, and what is older changes nothing any more", async () => {
    const { stores, regions } = await bootstrapped(pd);
    const [one] = stores;
    const whole = regions[0] as Region;
    const epoch = { ...whole.epoch, confVer: 1n, version: 2n, $typeName: "rdb.v1.RegionEpoch" } as const;
    const left: Region = { ...whole, endKey: key("f"), epoch };
    const right: Region = {
      ...whole,
      id: 50n,
      startKey: key("f"),
      epoch,
      peers: whole.peers.map((peer) => ({ ...peer, id: peer.id + 50n })),
    };
    one.reports = [one.leaderReport(left), one.leaderReport(right)];
    await one.heartbeat(one.reports);
    const { routes } = await one.client.listRegions({});
    expect(routes.map(({ region }) => region?.id)).toEqual([1n, 50n, 2n]);
    await one.heartbeat([one.leaderReport(whole, 9n)]);
    expect((await one.client.getRegion({ key: key("g") })).route).toMatchObject({ region: right, term: 6n });
  });

  test("ids are consecutive, and never those of Regions and peers that exist", async () => {
    const { regions } = await bootstrapped(pd);
    const client = pd.client();
    const { firstId } = await client.allocateIds({ count: 10 });
    const taken = regions.flatMap((region) => [region.id, ...region.peers.map((peer) => peer.id)]);
    expect(taken.every((id) => id < firstId)).toBe(true);
    expect((await client.allocateIds({ count: 1 })).firstId).toBe(firstId + 10n);
    expect((await refusal(client.allocateIds({}))).message).toContain("count 0 must be 1 to 10000");
  });
});
