import type { Random } from "@flaredb/rdb-base";
import { type AdminAction, LETTERS, drawElasticAction } from "./elastic-action.ts";
import type { FaultyCluster } from "./injector.ts";

/**
 * A Region changes while one Store cannot reach the others: clients and PD reach it still. What it then learns it
 * learns late, all at once, or from PD: splits and merges that it has to apply after the others, peers that are gone.
 */
export interface MissedChange {
  readonly kind: "missed-change";
  readonly change: AdminAction;
  /** Of the Store among those that do not lead the Region. */
  readonly place: number;
  /** From the fault's begin: when PD is asked for the change, */
  readonly askAfterMs: number;
  /** and when the Store is cut off: before, while it is made, or after. */
  readonly cutAfterMs: number;
}

/** A split or a merge takes a few messages, a move some hundred milliseconds. */
const APART_MAX_MS = 400;
const PLACE_BOUND = 8;
const CHANGES = ["split-region", "merge-region", "merge-region", "move-peer"] as const;

export function drawMissedChange(random: Random): MissedChange {
  const kind = CHANGES[random.nextInt(CHANGES.length)] ?? "split-region";
  return {
    kind: "missed-change",
    change: drawElasticAction(random, kind),
    place: random.nextInt(PLACE_BOUND),
    askAfterMs: random.nextInt(APART_MAX_MS),
    cutAfterMs: random.nextInt(APART_MAX_MS),
  };
}

/** @returns ends it: the Store reaches the others again */
export function beginMissedChange(cluster: FaultyCluster, fault: MissedChange): () => void {
  const { change, place, askAfterMs, cutAfterMs } = fault;
  let isOver = false;
  let reconnect = (): void => {};
  cluster.setTimer(askAfterMs, () => {
    if (!isOver) {
      cluster.ask(change);
    }
  });
  cluster.setTimer(cutAfterMs, () => {
    const leader = cluster.leaderOf(Math.max(0, LETTERS.indexOf(change.key.charAt(0))));
    const others = cluster.stores.filter((store) => store !== leader);
    const host = others[place % Math.max(1, others.length)]?.name;
    if (!isOver && host !== undefined) {
      reconnect = cluster.addNetworkFault({ kind: "cut-off", host });
    }
  });
  return () => {
    isOver = true;
    reconnect();
  };
}
