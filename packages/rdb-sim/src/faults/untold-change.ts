import type { Random } from "@flaredb/rdb-base";
import type { ClusterShape } from "./cluster-shape.ts";
import { drawCut } from "./elastic-action.ts";
import type { FaultyCluster, FaultyProcess } from "./injector.ts";
import { Stage, followersOf, rolesIn } from "./stage.ts";

/**
 * A Region changes, and its leader cannot tell PD: so PD does not know the new Region, or knows the old configuration.
 * Then a Store that has a peer since the change is cut off from the others, and asks PD whether that peer was removed.
 */
export interface UntoldChange {
  readonly kind: "untold-change";
  readonly change: "split" | "add-peer";
  /** A key of the Region, at which it is split. */
  readonly at: string;
  /** Of the Store: of the split Region's followers, or of the Stores that have no peer yet. */
  readonly place: number;
  /** When it is cut off, from when PD cannot be told any more or the new peer comes to be: the change ends meanwhile. */
  readonly cutAfterMs: number;
}

export function drawUntoldChange(random: Random, shape: ClusterShape): UntoldChange {
  const region = random.nextInt(shape.regionCount);
  return {
    kind: "untold-change",
    change: random.nextInt(2) === 0 ? "split" : "add-peer",
    at: drawCut(random, region),
    place: random.nextInt(shape.storeCount - 1),
    cutAfterMs: 150 + random.nextInt(500),
  };
}

/** @returns ends it: PD is told, and the Store reaches the others again */
export function beginUntoldChange(cluster: FaultyCluster, fault: UntoldChange): () => void {
  const stage = new Stage(cluster);
  const { change, at, place, cutAfterMs } = fault;
  const { leader } = rolesIn(cluster, at);
  const followers = followersOf(cluster, at);
  const cutOff = (host: FaultyProcess): void =>
    stage.after(cutAfterMs, () => stage.add(cluster.addNetworkFault({ kind: "cut-off", host: host.name })));
  const isForLeader = (to: FaultyProcess): boolean => to === leader;
  // What PD says to the leader is the last that they hear of each other: new ids, or what to do.
  if (change === "split") {
    stage.add(
      cluster.atMessage("new ids", isForLeader, () => {
        stage.cut(leader, cluster.pd);
        followers
          .slice(place % followers.length)
          .slice(0, 1)
          .forEach(cutOff);
      }),
    );
    cluster.split(at);
  } else {
    stage.add(cluster.atMessage("command of PD", isForLeader, () => stage.cut(leader, cluster.pd)));
    stage.add(cluster.atMessage("offer of a snapshot", (to) => !isForLeader(to), cutOff));
    cluster.ask({ kind: "add-peer", key: at, to: place });
  }
  return () => stage.end();
}
