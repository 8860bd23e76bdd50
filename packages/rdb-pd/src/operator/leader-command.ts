import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { type Region, assertNever, peerById } from "@flaredb/rdb-base";
import {
  PeerChangeKind,
  type RegionHeartbeatResponse,
  RegionHeartbeatResponseSchema,
  epochToProto,
  peerToProto,
  regionToProto,
} from "@flaredb/rdb-proto";
import type { LeaderCommand, PeerChange } from "./judge-step.ts";

/** The command as the leader's Store gets it, for the Region as it is now. */
export function leaderCommandToProto(
  commandId: number,
  region: Region,
  command: LeaderCommand,
): RegionHeartbeatResponse {
  return create(RegionHeartbeatResponseSchema, {
    commandId: BigInt(commandId),
    command: commandOneof(region, command),
  });
}

function commandOneof(
  region: Region,
  command: LeaderCommand,
): NonNullable<MessageInitShape<typeof RegionHeartbeatResponseSchema>["command"]> {
  const target = { regionId: BigInt(region.id), epoch: epochToProto(region.epoch) };
  switch (command.kind) {
    case "ChangePeers":
      return {
        case: "changePeers",
        value: { ...target, changes: command.changes.map((change) => changeToProto(region, change)) },
      };
    case "TransferLeader":
      return { case: "transferLeader", value: { ...target, toPeerId: BigInt(command.toPeerId) } };
    case "Split":
      return {
        case: "splitRegion",
        value: { ...target, keys: [...command.keys], partCount: command.partCount },
      };
    case "Merge":
      return { case: "mergeRegion", value: { ...target, target: regionToProto(command.target) } };
    default:
      return assertNever(command, "command to a leader");
  }
}

const changeKinds = {
  AddLearner: PeerChangeKind.ADD_LEARNER,
  Promote: PeerChangeKind.PROMOTE,
  Remove: PeerChangeKind.REMOVE,
} as const;

/** The peer goes with the role that it has; a new one is a learner. */
function changeToProto(region: Region, { kind, peerId, storeId }: PeerChange) {
  const role = peerById(region, peerId)?.role ?? "Learner";
  return { kind: changeKinds[kind], peer: peerToProto({ id: peerId, storeId, role }) };
}
