import type { RegionRoute } from "@flaredb/rdb-proto";
import { ProtoFuzzer, lyingBatch } from "@flaredb/rdb-proto/testing";
import { frame } from "../raw-grpc.ts";
import { RawCaller } from "./raw-caller.ts";
import { type Attack, oneOf } from "./scene.ts";

const BATCH_COUNT = 100;
const RAFT_BATCH = "/rdb.v1.RaftService/Batch";

/** In the name of one Store, to another one, of the Region that nobody needs: any message, of any content. */
export const lies: Attack = {
  name: "a lying Store",
  async run(scene) {
    const { cluster, random } = scene;
    const { clusterId } = await cluster.pdClient.getClusterInfo({});
    const { statuses } = await cluster.pdClient.listStores({});
    const stores = statuses.flatMap(({ store }) => store ?? []);
    const route = (await cluster.regions()).at(-1) as RegionRoute;
    const peers = route.region?.peers ?? [];
    const fuzzer = new ProtoFuzzer(random, {
      numbers: [...peers.flatMap(({ id, storeId }) => [id, storeId]), 1n, 5n, 6n, 7n],
    });
    for (const to of peers) {
      const from = oneOf(
        random,
        peers.filter(({ id }) => id !== to.id),
      );
      const caller = new RawCaller(stores.find(({ id }) => id === to.storeId)?.address ?? "");
      for (let left = BATCH_COUNT; left > 0; left--) {
        const batch = lyingBatch(fuzzer, {
          ...{ clusterId, fromStoreId: from.storeId, toStoreId: to.storeId },
          ...{ regionId: route.region?.id ?? 0n, fromPeer: from, toPeer: to },
        });
        const { isSilent } = await caller.call(RAFT_BATCH, [frame(batch)]);
        if (isSilent) {
          scene.found("RaftService.Batch gave no answer");
        }
      }
      caller.close();
    }
  },
};
