import { type Peer, type PeerId, type StoreId, assert } from "@flaredb/rdb-base";
import { type LedRegion, isHealthy } from "../filter/region-health.ts";
import type { OperatorStep, StepPeer } from "../operator-plan.ts";

/** Where a Region's peers are to be in the end, all of them voters. */
export interface WantedPeers {
  readonly storeIds: readonly StoreId[];
  /** Who is to lead in the end, if that matters. One of `storeIds`. */
  readonly leaderStoreId?: StoreId;
}

export interface StepPorts {
  /** A fresh id for a peer that is added. */
  newPeerId(): PeerId;
  /** Whether the Store answers. */
  isUp(id: StoreId): boolean;
  /** Who of these takes the leadership over, if the leader has to go before the end. */
  pickHeir(candidates: readonly Peer[]): Peer | undefined;
}

export type StepsResult =
  | { readonly ok: true; readonly steps: readonly OperatorStep[] }
  | { readonly ok: false; readonly reason: string };

/**
 * The steps from a Region's peers to the wanted ones. Whoever is new learns first; replacements change their votes in
 * one joint step, so that no moment has fewer voters than before; who leads and has to go hands over first; whoever is
 * not wanted goes last. If the Region had a quorum of live voters, each prefix of the steps leaves it one.
 */
export function stepsTowards(led: LedRegion, wanted: WantedPeers, ports: StepPorts): StepsResult {
  const { region, leader } = led;
  assert(
    wanted.leaderStoreId === undefined || wanted.storeIds.includes(wanted.leaderStoreId),
    "who is to lead is among the wanted peers",
  );
  if (region.peers.some(({ role }) => role === "IncomingVoter" || role === "DemotingVoter")) {
    return no("a joint configuration has to be left first");
  }
  const cast = castOf(led, wanted, ports);
  const votersAfter = [
    ...cast.stayingVoters.map(({ storeId }) => storeId),
    ...cast.newVoters.map(({ storeId }) => storeId),
  ];
  const liveCount = votersAfter.filter((id) => ports.isUp(id)).length;
  if (liveCount <= votersAfter.length / 2) {
    return no(`only ${liveCount} of ${votersAfter.length} voters would be alive`);
  }
  const handover = handoverOf(led, cast, ports);
  if (handover === undefined) {
    return no(`peer ${leader.id} leads and would have to go, and no other voter can lead`);
  }
  const steps: OperatorStep[] = [
    ...cast.added.map((peer): OperatorStep => ({ kind: "add-learner", ...peer })),
    ...handover.steps,
    ...voteSteps(
      cast.newVoters.filter(({ peerId }) => peerId !== handover.promotedId),
      cast.leavingVoters,
      ports,
    ),
    ...removalSteps(cast, ports),
    ...finalTransfer(handover.leaderStoreId, wanted),
  ];
  return { ok: true, steps };
}

/** Who plays which part. */
interface Cast {
  readonly added: readonly StepPeer[];
  /** Learners now or to be added, voters then. */
  readonly newVoters: readonly StepPeer[];
  readonly stayingVoters: readonly Peer[];
  readonly leavingVoters: readonly Peer[];
  readonly leavingLearners: readonly Peer[];
}

function castOf({ region }: LedRegion, { storeIds }: WantedPeers, ports: StepPorts): Cast {
  const stays = (peer: Peer): boolean => storeIds.includes(peer.storeId);
  const voters = region.peers.filter(({ role }) => role === "Voter");
  const learners = region.peers.filter(({ role }) => role === "Learner");
  const added = storeIds
    .filter((id) => !region.peers.some(({ storeId }) => storeId === id))
    .map((storeId): StepPeer => ({ storeId, peerId: ports.newPeerId() }));
  return {
    added,
    newVoters: [...learners.filter(stays).map(stepPeer), ...added],
    stayingVoters: voters.filter(stays),
    leavingVoters: voters.filter((peer) => !stays(peer)),
    leavingLearners: learners.filter((peer) => !stays(peer)),
  };
}

interface Handover {
  readonly steps: readonly OperatorStep[];
  readonly leaderStoreId: StoreId;
  /** A new voter that is promoted already, because nobody else could lead. */
  readonly promotedId: PeerId | undefined;
}

/** How the leadership gets to somebody who stays; undefined when nobody can take it. */
function handoverOf(led: LedRegion, cast: Cast, ports: StepPorts): Handover | undefined {
  const { leader } = led;
  if (!cast.leavingVoters.some(({ id }) => id === leader.id)) {
    return { steps: [], leaderStoreId: leader.storeId, promotedId: undefined };
  }
  const candidates = cast.stayingVoters.filter((peer) => isHealthy(peer, led) && ports.isUp(peer.storeId));
  const heir = ports.pickHeir(candidates);
  if (heir !== undefined) {
    return { steps: [transfer(leader, heir.storeId)], leaderStoreId: heir.storeId, promotedId: undefined };
  }
  const fresh = cast.newVoters.find(({ storeId }) => ports.isUp(storeId));
  return fresh === undefined
    ? undefined
    : {
        steps: [{ kind: "promote", ...fresh }, transfer(leader, fresh.storeId)],
        leaderStoreId: fresh.storeId,
        promotedId: fresh.peerId,
      };
}

/** New votes and, if others lose theirs, both at once. */
function voteSteps(
  newVoters: readonly StepPeer[],
  leaving: readonly Peer[],
  ports: StepPorts,
): readonly OperatorStep[] {
  if (newVoters.length === 0 || leaving.length === 0) {
    // The live ones first: each makes the quorum firmer for the next.
    const ordered = [...newVoters].sort(
      (a, b) => Number(ports.isUp(b.storeId)) - Number(ports.isUp(a.storeId)),
    );
    return ordered.map((peer): OperatorStep => ({ kind: "promote", ...peer }));
  }
  const change = { promote: newVoters, demote: leaving.map(stepPeer) };
  return [
    { kind: "enter-joint", ...change },
    { kind: "leave-joint", ...change },
  ];
}

/** Those who do not vote first, then the dead, then the living: none of these orders takes a vote that is missed. */
function removalSteps({ leavingLearners, leavingVoters }: Cast, ports: StepPorts): OperatorStep[] {
  const voters = [...leavingVoters].sort(
    (a, b) => Number(ports.isUp(a.storeId)) - Number(ports.isUp(b.storeId)),
  );
  return [...leavingLearners, ...voters].map(
    (peer): OperatorStep => ({ kind: "remove-peer", ...stepPeer(peer) }),
  );
}

function finalTransfer(fromStoreId: StoreId, { leaderStoreId }: WantedPeers): OperatorStep[] {
  return leaderStoreId === undefined || leaderStoreId === fromStoreId
    ? []
    : [{ kind: "transfer-leader", fromStoreId, toStoreId: leaderStoreId }];
}

function transfer(from: Peer, toStoreId: StoreId): OperatorStep {
  return { kind: "transfer-leader", fromStoreId: from.storeId, toStoreId };
}

function stepPeer({ storeId, id }: Peer): StepPeer {
  return { storeId, peerId: id };
}

function no(reason: string): StepsResult {
  return { ok: false, reason };
}
