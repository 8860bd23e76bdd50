import type { Random } from "@flaredb/rdb-base";
import type { ClusterShape } from "./cluster-shape.ts";
import { drawCut, eagerKeyOf } from "./elastic-action.ts";
import type { FaultyCluster } from "./injector.ts";
import { Stage, followersOf, rolesIn } from "./stage.ts";

/**
 * A Region is split, and merged away while one of its followers is some entries behind. That follower is cut off in the
 * middle of it: when the Region has begun to wait and its neighbour has not taken it yet. So this Store has to bring its
 * own peer to where the merge is, later, out of what the neighbour's log tells. Clients and PD reach it still.
 */
export interface MissedMerge {
  readonly kind: "missed-merge";
  readonly region: number;
  /** Where it is split, so that it has a neighbour on the same Stores. */
  readonly at: string;
  /** Of the follower, among those that have a peer of the Region. */
  readonly place: number;
  /** How late the follower hears of the leader. */
  readonly lateMs: number;
  /** When PD is asked for the merge: much is written until then. */
  readonly leadMs: number;
  /** How long it is cut off, at most until the fault ends: for a moment, or until the others have cut their logs. */
  readonly cutMs: number;
}

/** A split takes less, and PD hears of it by then. */
const SPLIT_MS = 400;
const CUT_MIN_MS = 100;
const CUT_SPREAD_MS = 900;
const CUT_MAX_MS = 10_000;
/** Between two looks whether the Region waits: less than the follower is late. */
const LOOK_MS = 10;
/** PD may ask its leader more than once. It is not looked for longer than this. */
const LOOKS_MAX_COUNT = 500;

export function drawMissedMerge(random: Random, shape: ClusterShape): MissedMerge {
  const lateMs = 30 + random.nextInt(250);
  const region = random.nextInt(shape.regionCount);
  return {
    kind: "missed-merge",
    region,
    at: drawCut(random, region),
    place: random.nextInt(shape.storeCount - 1),
    lateMs,
    leadMs: SPLIT_MS + lateMs + 200 + random.nextInt(300),
    cutMs: random.nextInt(3) === 0 ? CUT_MAX_MS : CUT_MIN_MS + random.nextInt(CUT_SPREAD_MS),
  };
}

/** @returns ends it: the Store reaches the others again */
export function beginMissedMerge(cluster: FaultyCluster, fault: MissedMerge): () => void {
  const stage = new Stage(cluster);
  const key = eagerKeyOf(fault.region);
  const { leader } = rolesIn(cluster, key);
  const followers = followersOf(cluster, key);
  const follower = followers[fault.place % followers.length];
  if (follower === undefined) {
    return () => {};
  }
  cluster.split(fault.at);
  const ends = { from: leader.name, to: follower.name };
  stage.after(SPLIT_MS, () =>
    stage.add(cluster.addNetworkFault({ kind: "slow-link", ...ends, delayMs: fault.lateMs })),
  );
  const look = (count: number): void => {
    if (cluster.isWaiting(key)) {
      const reconnect = cluster.addNetworkFault({ kind: "cut-off", host: follower.name });
      stage.add(reconnect);
      stage.after(fault.cutMs, reconnect);
    } else if (count < LOOKS_MAX_COUNT) {
      stage.after(LOOK_MS, () => look(count + 1));
    }
  };
  stage.after(fault.leadMs, () => {
    cluster.ask({ kind: "merge-region", key });
    look(0);
  });
  return () => stage.end();
}
