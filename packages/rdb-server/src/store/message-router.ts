import { type Logger, RdbError, type Region, type StoreId, peerOnStore } from "@flaredb/rdb-base";
import { type Engine, WritePart, getRegionLocalState, putMergeRecord } from "@flaredb/rdb-storage";
import { votes } from "../peer/admin/voter-sets.ts";
import type { Peer } from "../peer/peer.ts";
import type { ProposalRounds } from "../peer/proposal-rounds.ts";
import { isUnreadable } from "../peer/unreadable.ts";
import { FirstMessages } from "./first-messages.ts";
import type { PeerLifecycle } from "./peer-lifecycle.ts";
import type { PeerMessage, Refusal, ReplicaHash } from "./peer-message.ts";
import type { Transport } from "./ports.ts";
import type { RegionMap } from "./region-map.ts";
import type { RegionMerger } from "./region-merger.ts";
import type { HaltedPeer } from "./unreadable-peer.ts";

/** What the router works on. */
export interface MessageRouterOwner {
  readonly storeId: StoreId;
  readonly engine: Engine;
  readonly logger: Logger;
  readonly transport: Pick<Transport, "send">;
  readonly peers: RegionMap;
  readonly lifecycle: PeerLifecycle;
  readonly merger: RegionMerger;
  readonly rounds: Pick<ProposalRounds, "othersBegan">;
  /** Whether the writer is so far behind that entries of appends would only pile up. */
  isFlooded(): boolean;
  wantsTurn(peer: Peer): void;
}

/** Unknown Regions that are logged, once each. */
const UNKNOWN_LOGGED_MAX_COUNT = 1_000;
/** Peers that wait for their first snapshot, at most; more are made when some of these have theirs. */
const EMPTY_PEERS_MAX_COUNT = 1_024;

const HALTED: ReplicaHash = { index: 0, hash: new Uint8Array(0), isDamaged: true, isHalted: true };

/**
 * Brings messages of other Stores to the peers they are for, makes empty peers for Regions that begin here, and tells
 * senders that were removed (DESIGN §5, Message to an unknown Region, Removed peers).
 */
export class MessageRouter {
  readonly #owner: MessageRouterOwner;
  readonly #firstMessages = new FirstMessages();
  readonly #unknownLogged = new Set<number>();

  constructor(owner: MessageRouterOwner) {
    this.#owner = owner;
  }

  /** @returns why the message is refused, if so */
  receive(message: PeerMessage): Refusal["reason"] | undefined {
    try {
      return this.#receive(message);
    } catch (error) {
      if (!isUnreadable(error)) {
        throw error;
      }
      return this.#refuseUnreadable(message, error);
    }
  }

  #receive(message: PeerMessage): Refusal["reason"] | undefined {
    const { peers, lifecycle, merger } = this.#owner;
    if (message.payload.kind === "askMerge") {
      merger.answer(message, message.payload.question);
      return undefined;
    }
    if (message.payload.kind === "mergeRefused") {
      merger.heardRefused(message, message.payload.prepareIndex);
      return undefined;
    }
    const peer = peers.holder(message.regionId);
    if (peer === undefined) {
      return this.#receiveUnknown(message);
    }
    if (peer.id !== message.toPeer.id) {
      return this.#receiveForAnother(peer, message);
    }
    const { payload } = message;
    if (payload.kind === "merged") {
      this.#heardMerged(peer, payload.into);
      return undefined;
    }
    if (payload.kind === "tombstone") {
      if (payload.epoch.confVer > peer.region.epoch.confVer) {
        lifecycle.destroy(
          peer,
          `peer ${message.fromPeer.id} has conf_ver ${payload.epoch.confVer} without it`,
        );
      }
      return undefined;
    }
    if (isStaleSender(message, peer.region)) {
      this.#tellRemoved(message, peer.region);
      return undefined;
    }
    const running = peers.get(message.regionId);
    if (running === undefined) {
      this.#tellHalted(message, peer.region);
      return "RegionNotFound";
    }
    if (carriesEntries(message)) {
      if (this.#owner.isFlooded()) {
        return "Busy";
      }
      this.#owner.rounds.othersBegan();
    }
    this.#deliver(running, message);
    return undefined;
  }

  /** A peer came to be here: it gets what arrived before it. */
  added(peer: Peer): void {
    const first = this.#firstMessages.take(peer.regionId, peer.id);
    if (first !== undefined) {
      this.#deliver(peer, first);
    }
  }

  #deliver(peer: Peer, message: PeerMessage): void {
    this.#owner.lifecycle.attempt(peer, () => peer.step(message));
    this.#owner.wantsTurn(peer);
  }

  /** It keeps what it has for as long as the target's peer here may have to take it. */
  #heardMerged(peer: HaltedPeer, into: Region): void {
    const { engine, lifecycle, merger } = this.#owner;
    if (!merger.mayGo(peer.regionId, into)) {
      return;
    }
    const part = new WritePart();
    putMergeRecord(part, peer.regionId, { kind: "Merged", into });
    engine.submit(part);
    lifecycle.destroy(peer, `Region ${into.id} took its Region at version ${into.epoch.version}`);
  }

  /** For a peer of another id than the one here: one that was before it, or one that takes its place. */
  #receiveForAnother(peer: HaltedPeer, message: PeerMessage): Refusal["reason"] | undefined {
    // Not by the ids: those of splits and those of moves come from different leases, and do not rise together.
    const isNewer = message.epoch.confVer > peer.region.epoch.confVer;
    if (isNewer && !isFarewell(message)) {
      const { toPeer, epoch } = message;
      this.#owner.lifecycle.destroy(peer, `peer ${toPeer.id} has its place at conf_ver ${epoch.confVer}`);
      return this.#receiveUnknown(message);
    }
    if (isStaleSender(message, peer.region)) {
      this.#tellRemoved(message, peer.region);
    }
    return this.#refuse(message);
  }

  #receiveUnknown(message: PeerMessage): Refusal["reason"] | undefined {
    const { engine, peers, lifecycle, merger, storeId } = this.#owner;
    if (message.toPeer.storeId !== storeId) {
      return "StoreNotMatch";
    }
    if (isFarewell(message)) {
      lifecycle.farewells.answered(message.regionId, message.fromPeer.id);
      return undefined;
    }
    const local = getRegionLocalState(engine, message.regionId);
    if (local !== undefined) {
      if (isStaleSender(message, local.region)) {
        this.#tellRemoved(message, local.region);
      }
      if (this.#tellMerged(message)) {
        return undefined;
      }
      const isGone = local.state === "Tombstone" || local.state === "Destroying";
      const lastPeerId = peerOnStore(local.region, storeId)?.id;
      const isNewer = message.epoch.confVer > local.region.epoch.confVer;
      if (!isGone || !isNewer || message.toPeer.id === lastPeerId) {
        return this.#refuse(message);
      }
    }
    if (!isFirstMessage(message) || message.range === undefined) {
      return this.#refuse(message, local === undefined);
    }
    const others = [message.regionId, ...merger.waitingFor(message.regionId)];
    const inTheWay = peers.overlapping(message.range, ...others);
    if (inTheWay !== undefined) {
      // A split that is not applied here yet; or what was removed while it was cut off, and does not know.
      peers.get(inTheWay.id)?.standsInTheWay();
      this.#firstMessages.keep(message);
      return this.#refuse(message, local === undefined);
    }
    if (peers.emptyCount >= EMPTY_PEERS_MAX_COUNT) {
      return "Busy";
    }
    lifecycle.makeEmpty(message);
    return this.receive(message);
  }

  /**
   * SPEC M2: refused, and logged once for each Region.
   *
   * @param isExpected a leader speaks to a peer that it has just added, or that a split is still to make
   */
  #refuse({ regionId, toPeer, fromPeer }: PeerMessage, isExpected = false): Refusal["reason"] {
    const { logger } = this.#owner;
    const fields = { region: regionId, peer: toPeer.id, fromStore: fromPeer.storeId };
    const line = "a message for a Region that is not here is refused";
    if (isExpected) {
      logger.debug(fields, line);
    } else if (!this.#unknownLogged.has(regionId) && this.#unknownLogged.size < UNKNOWN_LOGGED_MAX_COUNT) {
      this.#unknownLogged.add(regionId);
      logger.warn(fields, line);
    }
    return "RegionNotFound";
  }

  /** What is left here of the Region cannot be read now: nothing is known of it, and its sender speaks again. */
  #refuseUnreadable({ regionId }: PeerMessage, error: unknown): Refusal["reason"] {
    if (!this.#unknownLogged.has(regionId) && this.#unknownLogged.size < UNKNOWN_LOGGED_MAX_COUNT) {
      this.#unknownLogged.add(regionId);
      const fields = { region: regionId, error: RdbError.from(error).message };
      this.#owner.logger.error(fields, "what a Region left here cannot be read: its messages are refused");
    }
    return "Busy";
  }

  /** The Region is no more: whoever speaks for it does not know yet. */
  #tellMerged({ regionId, fromPeer, toPeer, epoch }: PeerMessage): boolean {
    const into = this.#owner.merger.takenBy(regionId);
    if (into === undefined) {
      return false;
    }
    this.#owner.transport.send({
      ...{ regionId, fromPeer: toPeer, toPeer: fromPeer, epoch },
      range: undefined,
      payload: { kind: "merged", into },
    });
    return true;
  }

  /** Its leader must not count on the peer, and have it replaced. The heartbeats repeat it. */
  #tellHalted({ regionId, fromPeer, toPeer, payload }: PeerMessage, { epoch }: Region): void {
    if (payload.kind === "raft" && payload.message.type === "MsgHeartbeat") {
      this.#owner.transport.send({
        ...{ regionId, fromPeer: toPeer, toPeer: fromPeer, epoch },
        range: undefined,
        payload: { kind: "replicaHash", report: HALTED },
      });
    }
  }

  #tellRemoved({ regionId, fromPeer, toPeer }: PeerMessage, { epoch }: Region): void {
    this.#owner.transport.send({
      ...{ regionId, fromPeer: toPeer, toPeer: fromPeer, epoch },
      range: undefined,
      payload: { kind: "tombstone", epoch },
    });
  }
}

/** What tells a peer that it, or its Region, is gone. */
function isFarewell({ payload }: PeerMessage): boolean {
  return payload.kind === "tombstone" || payload.kind === "merged";
}

/**
 * Whether the sender's Region lacks it since then: it was removed and does not know. An empty peer knows the epoch that
 * it was made at, and no voters: what others it does not list says nothing.
 */
function isStaleSender({ fromPeer, epoch }: PeerMessage, region: Region): boolean {
  return (
    epoch.confVer < region.epoch.confVer &&
    region.peers.some(votes) &&
    !region.peers.some((peer) => peer.id === fromPeer.id)
  );
}

/** What a leader or a candidate says to a peer of which it knows nothing. */
function isFirstMessage({ payload }: PeerMessage): boolean {
  if (payload.kind !== "raft") {
    return false;
  }
  const { type, commit } = payload.message;
  return type === "MsgVote" || type === "MsgPreVote" || (type === "MsgHeartbeat" && commit === 0);
}

function carriesEntries({ payload }: PeerMessage): boolean {
  return payload.kind === "raft" && payload.message.type === "MsgApp" && payload.message.entries.length > 0;
}
