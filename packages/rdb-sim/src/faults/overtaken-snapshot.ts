import type { Random } from "@flaredb/rdb-base";
import type { ClusterShape } from "./cluster-shape.ts";
import { drawCut } from "./elastic-action.ts";
import type { FaultyCluster, FaultyProcess } from "./injector.ts";
import { Stage, followersOf, rolesIn } from "./stage.ts";

/**
 * A Region's snapshot is on its way to a new peer and late, the Region is split meanwhile, and another Store leads the
 * new Region: that one's snapshot is faster. When the first one comes, some of its keys are a neighbour's.
 */
export interface OvertakenSnapshot {
  readonly kind: "overtaken-snapshot";
  /** A key of the Region, at which it is split. */
  readonly at: string;
  /** Of the Store that gets a peer, of those that have none. */
  readonly to: number;
  /** Of the one that comes to lead the new Region, of the followers. */
  readonly place: number;
  /** How late everything is that the leader sends to the new peer, from its snapshot's offer on. */
  readonly lateMs: number;
  /** When the new Region is handed over, from then on. */
  readonly handOverMs: number;
}

export function drawOvertakenSnapshot(random: Random, shape: ClusterShape): OvertakenSnapshot {
  const region = random.nextInt(shape.regionCount);
  return {
    kind: "overtaken-snapshot",
    at: drawCut(random, region),
    to: random.nextInt(shape.storeCount),
    place: random.nextInt(shape.storeCount - 1),
    lateMs: 700 + random.nextInt(1_000),
    handOverMs: 150 + random.nextInt(200),
  };
}

/** @returns ends it */
export function beginOvertakenSnapshot(cluster: FaultyCluster, fault: OvertakenSnapshot): () => void {
  const stage = new Stage(cluster);
  const { at } = fault;
  const { leader } = rolesIn(cluster, at);
  const followers = followersOf(cluster, at);
  const offered = (to: FaultyProcess): void => {
    const ends = { from: leader.name, to: to.name };
    stage.add(cluster.addNetworkFault({ kind: "slow-link", ...ends, delayMs: fault.lateMs }));
    cluster.split(at);
    stage.after(fault.handOverMs, () => {
      const heir = followers[fault.place % followers.length];
      if (heir !== undefined) {
        cluster.transfer(at, heir);
      }
    });
  };
  stage.add(cluster.atMessage("offer of a snapshot", (to) => to !== leader, offered));
  cluster.ask({ kind: "add-peer", key: at, to: fault.to });
  return () => stage.end();
}
