import { create } from "@bufbuild/protobuf";
import {
  FollowerProgressSchema,
  type PeerProgress,
  PeerProgressSchema,
  peerToProto,
} from "@flaredb/rdb-proto";
import type { PeerAnswer } from "../admin/region-peers.ts";

export function peerProgressToProto({ peer, report, failure, seen, lagCount }: PeerAnswer): PeerProgress {
  const progress = create(PeerProgressSchema, { peer: peerToProto(peer), failure });
  if (report !== undefined) {
    progress.isLeader = report.isLeader;
    progress.isAsleep = report.isAsleep;
    progress.term = BigInt(report.term);
    progress.commitIndex = BigInt(report.commitIndex);
    progress.appliedIndex = BigInt(report.appliedIndex);
    progress.firstIndex = BigInt(report.firstIndex);
    progress.lastIndex = BigInt(report.lastIndex);
  }
  if (seen !== undefined) {
    progress.asLeaderSees = create(FollowerProgressSchema, {
      state: seen.state,
      matchIndex: BigInt(seen.matchIndex),
      nextIndex: BigInt(seen.nextIndex),
      lagCount: BigInt(lagCount ?? 0),
      isAlive: seen.isAlive,
    });
  }
  return progress;
}
