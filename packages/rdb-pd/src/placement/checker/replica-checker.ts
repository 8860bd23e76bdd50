import type { Peer } from "@flaredb/rdb-base";
import type { RegionInfo } from "../../cluster/region-info.ts";
import { chooseStore, stepPorts, storesOf } from "../candidates.ts";
import { actsOn, standsStill } from "../decide.ts";
import type { Checker, Decision, RuledOut } from "../decision.ts";
import { isolationScore } from "../filter/location.ts";
import { type LedRegion, isHealthy, isJoint, ledRegion } from "../filter/region-health.ts";
import type { PlacementView } from "../placement-view.ts";
import { type PlanHead, planFor } from "../plans.ts";
import { stepsTowards } from "../steps/steps-towards.ts";
import { StoreWeights } from "../store-weights.ts";

/** What is wrong with a peer so that another one has to take its place. */
interface Fault {
  readonly peer: Peer;
  readonly kind: "damaged-peer" | "lost-peer" | "down-peer" | "draining-peer";
  readonly reason: string;
}

/** Keeps the wanted number of sound peers: those that are lost or leave are replaced, missing ones added, surplus ones removed. */
export class ReplicaChecker implements Checker {
  readonly name = "replica";
  readonly isEssential = true;
  readonly repairs = true;

  check(info: RegionInfo, view: PlacementView): Decision {
    const led = ledRegion(info);
    if (typeof led === "string") {
      return standsStill(led);
    }
    if (isJoint(info)) {
      return standsStill("it is in a joint configuration");
    }
    const fault = worstFault(led, view);
    const wantedCount = view.replicaCount;
    const { length } = info.region.peers;
    if (fault !== undefined) {
      return length > wantedCount ? this.#remove(led, view, fault) : this.#replace(led, view, fault);
    }
    if (length > wantedCount) {
      return this.#removeSurplus(led, view);
    }
    if (length < wantedCount) {
      return this.#add(led, view);
    }
    return standsStill(`it has its ${length} peers, none lost, down or damaged`);
  }

  #replace(led: LedRegion, view: PlacementView, { peer, kind, reason }: Fault): Decision {
    const choice = chooseStore(led, view, peer);
    if (choice.store === undefined) {
      return kind === "damaged-peer" && othersAreSound(led, view, peer)
        ? this.#makeRoom(led, view, { peer, kind, reason }, choice.ruledOut)
        : standsStill(`${reason}, but no store can take its place`, choice.ruledOut);
    }
    const motive = `${reason}; store ${choice.store.id} takes its place`;
    const repairs = kind !== "draining-peer";
    const priority = repairs ? "High" : "Medium";
    const head = { kind: `replace-${kind}`, priority, motive, repairs } as const;
    const storeIds = [...others(led, peer), choice.store.id];
    return this.#towards(led, view, head, storeIds, choice.ruledOut);
  }

  /** A damaged peer serves nobody: where no other Store is left, its own one gets a new peer once it is gone. */
  #makeRoom(
    led: LedRegion,
    view: PlacementView,
    { peer, reason }: Fault,
    ruledOut: readonly RuledOut[],
  ): Decision {
    const motive = `${reason}; no other store is left, so store ${peer.storeId} gets a new one after it`;
    const head = { kind: "remove-damaged-peer", priority: "High", motive, repairs: true } as const;
    return this.#towards(led, view, head, others(led, peer), ruledOut);
  }

  #remove(led: LedRegion, view: PlacementView, { peer, kind, reason }: Fault): Decision {
    const motive = `${reason}, and ${led.region.peers.length} peers are more than ${view.replicaCount}`;
    const repairs = kind !== "draining-peer";
    const head = { kind: `remove-${kind}`, priority: "High", motive, repairs } as const;
    return this.#towards(led, view, head, others(led, peer));
  }

  #removeSurplus(led: LedRegion, view: PlacementView): Decision {
    const peer = leastMissed(led, view);
    const motive = `${led.region.peers.length} peers are more than ${view.replicaCount}; the one on store ${peer.storeId} is missed least`;
    const head = { kind: "remove-surplus-peer", priority: "High", motive } as const;
    return this.#towards(led, view, head, others(led, peer));
  }

  #add(led: LedRegion, view: PlacementView): Decision {
    const choice = chooseStore(led, view);
    const lack = `${led.region.peers.length} peers are fewer than ${view.replicaCount}`;
    if (choice.store === undefined) {
      return standsStill(`${lack}, but no store can take one`, choice.ruledOut);
    }
    const motive = `${lack}; store ${choice.store.id} takes one`;
    const storeIds = [...led.region.peers.map(({ storeId }) => storeId), choice.store.id];
    return this.#towards(
      led,
      view,
      { kind: "add-peer", priority: "High", motive },
      storeIds,
      choice.ruledOut,
    );
  }

  #towards(
    led: LedRegion,
    view: PlacementView,
    head: Omit<PlanHead, "origin">,
    storeIds: readonly Peer["storeId"][],
    ruledOut: readonly RuledOut[] = [],
  ): Decision {
    const result = stepsTowards(led, { storeIds }, stepPorts(view));
    return result.ok
      ? actsOn(planFor(led, { ...head, origin: this.name }, result.steps), ruledOut)
      : standsStill(`${head.motive}: ${result.reason}`, ruledOut);
  }
}

/** What has to be put right first: wrong data before no data, and that before what is merely to move. */
function worstFault({ region, status, leader }: LedRegion, view: PlacementView): Fault | undefined {
  let draining: Fault | undefined;
  let gone: Fault | undefined;
  for (const peer of region.peers) {
    const store = view.store(peer.storeId);
    const at = `peer ${peer.id} on store ${peer.storeId}`;
    if (status.damagedPeerIds.includes(peer.id) && peer.id !== leader.id) {
      return { peer, kind: "damaged-peer", reason: `${at} has other rows than the leader` };
    }
    if (store === undefined) {
      gone ??= { peer, kind: "lost-peer", reason: `${at}: the store is gone for good` };
    } else if (store.condition === "Down") {
      gone ??= {
        peer,
        kind: "down-peer",
        reason: `${at}: the store is down for longer than maxStoreDownTime`,
      };
    } else if (store.isDraining) {
      draining ??= { peer, kind: "draining-peer", reason: `${at}: the store is being emptied` };
    }
  }
  return gone ?? draining;
}

/** The surplus peer to remove: an ill one, else the one nearest to others, else no leader, else on the fullest Store. */
function leastMissed(led: LedRegion, view: PlacementView): Peer {
  const stores = storesOf(led, view);
  const weights = new StoreWeights(view.stores());
  const ranked = led.region.peers.map((peer) => {
    const store = view.store(peer.storeId);
    const isSound = store?.condition === "Up" && isHealthy(peer, led);
    const isolation = store === undefined ? 0 : isolationScore(store, stores, view.config.locationLabels);
    const weight = store === undefined ? 0 : weights.ofStore(store);
    return { peer, rank: [Number(isSound), isolation, Number(peer.id === led.leader.id), -weight, peer.id] };
  });
  const least = ranked.reduce((low, each) => (compareRanks(each.rank, low.rank) < 0 ? each : low));
  return least.peer;
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

/** Whether the other peers make a quorum, each of them whole. */
function othersAreSound(led: LedRegion, view: PlacementView, leaving: Peer): boolean {
  const staying = led.region.peers.filter(({ id }) => id !== leaving.id);
  return (
    staying.length * 2 > led.region.peers.length &&
    staying.every((peer) => isHealthy(peer, led) && view.store(peer.storeId)?.condition === "Up")
  );
}

function others({ region }: LedRegion, leaving: Peer): Peer["storeId"][] {
  return region.peers.filter(({ id }) => id !== leaving.id).map(({ storeId }) => storeId);
}
