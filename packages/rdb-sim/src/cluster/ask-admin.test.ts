import type { Client } from "@connectrpc/connect";
import { EMPTY_KEY, type Region, peerId, regionId, storeId } from "@flaredb/rdb-base";
import type { PdAdminService } from "@flaredb/rdb-proto";
import { describe, expect, test } from "vitest";
import { askAdmin } from "./ask-admin.ts";

const region: Region = {
  id: regionId(7),
  startKey: Buffer.from("b"),
  endKey: EMPTY_KEY,
  epoch: { confVer: 1, version: 1 },
  peers: [{ id: peerId(8), storeId: storeId(1), role: "Voter" }],
};

/** What an administrator's split becomes: PD takes a key or a count, never both. */
async function askedOf(at: string): Promise<unknown> {
  const asked: unknown[] = [];
  const splitRegionAt = (request: unknown): Promise<object> => {
    asked.push(request);
    return Promise.resolve({});
  };
  const client = { splitRegionAt } as unknown as Client<typeof PdAdminService>;
  const view = { regions: [region], storeIds: [storeId(1)] };
  await askAdmin(client, { kind: "split-region", key: "b-key0", at, parts: 3 }, view);
  return asked[0];
}

describe("a split that is asked for", () => {
  test("is at the key, when that cuts the Region", async () => {
    expect(await askedOf("b-key1")).toEqual({ regionId: 7n, keys: [Buffer.from("b-key1")] });
  });

  test.each(["", "a-key1", "b"])("is into parts otherwise: %j", async (at) => {
    expect(await askedOf(at)).toEqual({ regionId: 7n, partCount: 3 });
  });
});
