import { create } from "@bufbuild/protobuf";
import { type Peer, type PeerRole as Role, RdbError, type Region, type RegionEpoch } from "@flaredb/rdb-base";
import { assertNever, peerId, regionId, safeInteger, storeId } from "@flaredb/rdb-base";
import {
  PeerRole,
  PeerSchema,
  RegionEpochSchema,
  RegionSchema,
  type Peer as WirePeer,
  type Region as WireRegion,
  type RegionEpoch as WireEpoch,
} from "./gen/rdb/v1/metapb_pb.ts";

/** @throws RangeError when a number is no safe integer */
export function epochFromProto(epoch: WireEpoch | undefined): RegionEpoch {
  return {
    confVer: safeInteger(epoch?.confVer ?? 0n, "epoch conf_ver"),
    version: safeInteger(epoch?.version ?? 0n, "epoch version"),
  };
}

export function epochToProto(epoch: RegionEpoch): WireEpoch {
  return create(RegionEpochSchema, { confVer: BigInt(epoch.confVer), version: BigInt(epoch.version) });
}

/**
 * @throws RangeError when an id is no safe integer
 * @throws RdbError RDB_INVALID_ARGUMENT when the role is not one that this program knows
 */
export function peerFromProto(peer: WirePeer): Peer {
  return { id: peerId(peer.id), storeId: storeId(peer.storeId), role: roleFromProto(peer.role) };
}

export function peerToProto(peer: Peer): WirePeer {
  return create(PeerSchema, {
    id: BigInt(peer.id),
    storeId: BigInt(peer.storeId),
    role: roleToProto(peer.role),
  });
}

/** Errors: as {@link peerFromProto}. */
export function regionFromProto(region: WireRegion): Region {
  return {
    id: regionId(region.id),
    startKey: region.startKey,
    endKey: region.endKey,
    epoch: epochFromProto(region.epoch),
    peers: region.peers.map(peerFromProto),
  };
}

export function regionToProto(region: Region): WireRegion {
  return create(RegionSchema, {
    id: BigInt(region.id),
    startKey: region.startKey,
    endKey: region.endKey,
    epoch: epochToProto(region.epoch),
    peers: region.peers.map(peerToProto),
  });
}

function roleFromProto(role: PeerRole): Role {
  switch (role) {
    case PeerRole.VOTER:
      return "Voter";
    case PeerRole.LEARNER:
      return "Learner";
    case PeerRole.INCOMING_VOTER:
      return "IncomingVoter";
    case PeerRole.DEMOTING_VOTER:
      return "DemotingVoter";
    case PeerRole.UNSPECIFIED:
      break;
  }
  // Also reached by a role that a newer program sent.
  throw new RdbError("RDB_INVALID_ARGUMENT", `peer role ${role} is not known to this program`);
}

function roleToProto(role: Role): PeerRole {
  switch (role) {
    case "Voter":
      return PeerRole.VOTER;
    case "Learner":
      return PeerRole.LEARNER;
    case "IncomingVoter":
      return PeerRole.INCOMING_VOTER;
    case "DemotingVoter":
      return PeerRole.DEMOTING_VOTER;
    default:
      return assertNever(role, "peer role");
  }
}
