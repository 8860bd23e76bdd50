import type { Random } from "@flaredb/rdb-base";
import type { ClusterShape } from "./cluster-shape.ts";
import type { FaultyCluster } from "./injector.ts";
import { Stage, followersOf } from "./stage.ts";

/**
 * A follower hears nothing from the other Stores until they have let go of the log that it lacks; then it is sent a
 * snapshot, and that breaks on the way. Chance alone does not do it: a small Region's snapshot takes milliseconds.
 */
export interface LostTransfer {
  readonly kind: "lost-transfer";
  readonly region: number;
  /** Of the follower, among those that have a peer of the Region. */
  readonly place: number;
  /** How long it hears nothing. */
  readonly leadMs: number;
  /** The transfer breaks at the so manieth message of one that reaches the follower: the first offers it. */
  readonly messageCount: number;
  /** The follower dies, or only its connections with the other Stores do. */
  readonly how: "kill" | "reset";
  /** How long it is dead. */
  readonly restartMs: number;
}

/** An offer, a header, and some chunks. */
const MESSAGES_MAX_COUNT = 5;

export function drawLostTransfer(random: Random, shape: ClusterShape): LostTransfer {
  return {
    kind: "lost-transfer",
    region: random.nextInt(shape.regionCount),
    place: random.nextInt(shape.storeCount - 1),
    leadMs: 800 + random.nextInt(2_000),
    // Half of them before anything of the snapshot was sent: then nothing of it is sent again.
    messageCount: random.nextInt(2) === 0 ? 1 : 2 + random.nextInt(MESSAGES_MAX_COUNT - 1),
    how: random.nextInt(2) === 0 ? "kill" : "reset",
    restartMs: 5 + random.nextInt(2_000),
  };
}

/** @returns ends it, if it has not come to its end by then */
export function beginLostTransfer(cluster: FaultyCluster, fault: LostTransfer): () => void {
  const stage = new Stage(cluster);
  const followers = followersOf(cluster, fault.region);
  const follower = followers[fault.place % followers.length];
  if (follower === undefined) {
    return () => {};
  }
  const reconnect = cluster.addNetworkFault({ kind: "cut-off", host: follower.name });
  stage.add(reconnect);
  const lose = (): void => {
    if (fault.how === "kill") {
      const release = follower.hold();
      follower.end("kill");
      stage.add(release);
      stage.after(fault.restartMs, release);
      return;
    }
    for (const other of cluster.stores.filter((store) => store !== follower)) {
      cluster.resetConnections(follower.name, other.name);
    }
  };
  stage.after(fault.leadMs, () => {
    reconnect();
    // Not in the middle of what the follower does with the message.
    stage.add(cluster.atTransferMessage(follower, fault.messageCount, () => stage.after(0, lose)));
  });
  return () => stage.end();
}
