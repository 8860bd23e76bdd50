import {
  PdService,
  PeerRole,
  RegionHeartbeatRequestSchema,
  StoreHeartbeatRequestSchema,
} from "@flaredb/rdb-proto";
import { ProtoFuzzer } from "@flaredb/rdb-proto/testing";
import { fromConnectError } from "@flaredb/rdb-wire";
import { frame } from "../raw-grpc.ts";
import { judge } from "./grpc-attacks.ts";
import { RawCaller } from "./raw-caller.ts";
import type { Attack } from "./scene.ts";

const HEARTBEAT_COUNT = 60;
const STREAM_COUNT = 30;
const BOOT_ID = 66n;
const PEER_COUNT = 100_000;

/**
 * A Store that registered as any other, and then says what no Store says of itself, of its Regions and of those of others:
 * in heartbeats, and in streams that come and go.
 */
export const fakeStore: Attack = {
  name: "a fake Store",
  async run(scene) {
    const { victim, random } = scene;
    const { clusterId, storeId } = await victim.pdClient.registerStore({
      ...{ registrationToken: "a fake Store", address: "127.0.0.1:1", bootId: BOOT_ID, clusterVersion: 2 },
    });
    const routes = await victim.regions();
    const numbers = routes.flatMap(({ region }) => [
      ...[region?.id ?? 1n, region?.epoch?.version ?? 1n, region?.epoch?.confVer ?? 1n, storeId],
      ...(region?.peers ?? []).flatMap(({ id }) => id),
    ]);
    const fixed = { cluster_id: clusterId, store_id: storeId, boot_id: BOOT_ID };
    const fuzzer = new ProtoFuzzer(random, { numbers, fixed });
    const caller = new RawCaller(victim.pdAddress);
    const { storeHeartbeat, regionHeartbeat } = PdService.method;
    const call = async (
      method: { readonly name: string },
      messages: readonly Uint8Array[],
    ): Promise<void> => {
      const outcome = await caller.call(
        `/${PdService.typeName}/${method.name}`,
        messages.map((bytes) => frame(bytes)),
      );
      judge(scene, `${method.name} of a fake Store`, outcome);
    };
    for (let left = HEARTBEAT_COUNT; left > 0; left--) {
      await call(storeHeartbeat, [fuzzer.bytes(StoreHeartbeatRequestSchema)]);
    }
    for (let left = STREAM_COUNT; left > 0; left--) {
      const count = 1 + random.nextInt(5);
      await call(
        regionHeartbeat,
        Array.from({ length: count }, () => fuzzer.bytes(RegionHeartbeatRequestSchema)),
      );
    }
    caller.close();
    await crowded(scene, { clusterId, storeId });
  },
};

/** A Region that it says to lead, with more peers than there are Stores anywhere. */
async function crowded(
  scene: Parameters<Attack["run"]>[0],
  { clusterId, storeId }: { readonly clusterId: bigint; readonly storeId: bigint },
): Promise<void> {
  const epoch = { confVer: 1n, version: 1_000n };
  const peers = Array.from({ length: PEER_COUNT }, (_, at) => ({
    ...{ id: BigInt(at + 1), storeId: at === 0 ? storeId : BigInt(at + 100), role: PeerRole.VOTER },
  }));
  const region = { id: 1n, epoch, peers };
  const report = { regionId: 1n, peerId: 1n, epoch, isLeader: true, region, term: 9n };
  const code = await scene.victim.pdClient
    .storeHeartbeat({ clusterId, storeId, bootId: BOOT_ID, regions: [report] })
    .then(
      () => "taken",
      (error: unknown) => fromConnectError(error).code,
    );
  if (code !== "RDB_INVALID_ARGUMENT") {
    scene.found(`a Region with ${PEER_COUNT} peers was answered with ${code}`);
  }
}
