import { create } from "@bufbuild/protobuf";
import type { PeerId, Region, StoreId } from "@flaredb/rdb-base";
import {
  type RegionHeartbeatResponse,
  RegionHeartbeatResponseSchema,
  type Store,
  epochToProto,
  regionToProto,
} from "@flaredb/rdb-proto";
import type { ClusterState } from "../cluster/cluster-state.ts";

export function storeListCommand(stores: Store[], clusterVersion: number): RegionHeartbeatResponse {
  const value = { stores, clusterVersion };
  return create(RegionHeartbeatResponseSchema, { command: { case: "storeList", value } });
}

export function reportAllCommand(): RegionHeartbeatResponse {
  return create(RegionHeartbeatResponseSchema, { command: { case: "reportAll", value: {} } });
}

export function transferLeaderCommand(region: Region, toPeerId: PeerId): RegionHeartbeatResponse {
  return create(RegionHeartbeatResponseSchema, {
    command: {
      case: "transferLeader",
      value: { regionId: BigInt(region.id), epoch: epochToProto(region.epoch), toPeerId: BigInt(toPeerId) },
    },
  });
}

/** Compares the Region's peers. Has no id: nobody waits for a refusal. */
export function checkRegionCommand(region: Region): RegionHeartbeatResponse {
  return create(RegionHeartbeatResponseSchema, {
    command: {
      case: "checkRegion",
      value: { regionId: BigInt(region.id), epoch: epochToProto(region.epoch) },
    },
  });
}

/**
 * The initial peers that the Store is to make. Only of Regions that were never whole: a Store that lost its data must
 * not make an empty voter of a Region that lives (DESIGN §5). That others lead the Region already says nothing: a Store
 * that was down when they made their peers has to make its own still. What the Store has reported it has made.
 */
export function createPeerCommands(cluster: ClusterState, storeId: StoreId): RegionHeartbeatResponse[] {
  const state = cluster.durable;
  const activity = cluster.activity(storeId);
  const commands: RegionHeartbeatResponse[] = [];
  for (const regionId of state.forming) {
    const region = state.regions.get(regionId);
    const isHere = region?.peers.some((peer) => peer.storeId === storeId) === true;
    if (isHere && activity.report(regionId) === undefined) {
      commands.push(
        create(RegionHeartbeatResponseSchema, {
          command: {
            case: "createPeer",
            value: {
              clusterId: BigInt(state.cluster.clusterId),
              storeId: BigInt(storeId),
              region: regionToProto(region),
            },
          },
        }),
      );
    }
  }
  return commands;
}
