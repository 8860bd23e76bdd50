import { type Peer as PeerInfo, type PeerId, type Region, assert } from "@flaredb/rdb-base";
import type { Message, RawNode } from "@flaredb/rdb-raft";
import type { HibernateStep, MergeQuestion, PeerMessage, ReplicaHash } from "../store/peer-message.ts";
import type { LeaderLease } from "./lease.ts";
import type { PeerContext } from "./peer-context.ts";
import type { PeerStart } from "./peer-start.ts";
import { asksForVotes } from "./raft-message-kinds.ts";
import type { SnapshotSource } from "./snapshot-source.ts";

/** What the outbox speaks for. */
export interface OutboxOwner {
  readonly peerId: PeerId;
  readonly context: PeerContext;
  readonly node: RawNode;
  readonly lease: LeaderLease;
  readonly snapshots: SnapshotSource;
  readonly start: Pick<PeerStart, "record">;
  region(): Region;
  /** False: it must not ask for votes. */
  mayLead(): boolean;
}

/** Peers beside the Region's own that are remembered; the oldest makes room. */
const KNOWN_PEERS_MAX_COUNT = 256;

/** Puts a peer's messages into envelopes and hands them to the transport. Knows where the other peers are. */
export class Outbox {
  readonly #owner: OutboxOwner;
  /** Peers that wrote to this one, also those that its Region does not list (yet). */
  readonly #knownPeers = new Map<PeerId, PeerInfo>();

  constructor(owner: OutboxOwner) {
    this.#owner = owner;
  }

  /** A message came from this peer: that is where to answer it. */
  learn(peer: PeerInfo): void {
    if (this.#knownPeers.size >= KNOWN_PEERS_MAX_COUNT && !this.#knownPeers.has(peer.id)) {
      const [oldest] = this.#knownPeers.keys();
      this.#knownPeers.delete(oldest as PeerId);
    }
    this.#knownPeers.set(peer.id, peer);
  }

  peerInfo(peerId: PeerId): PeerInfo | undefined {
    return this.#owner.region().peers.find((peer) => peer.id === peerId) ?? this.#knownPeers.get(peerId);
  }

  isAlive(peer: PeerInfo): boolean {
    return this.#owner.context.transport.isAlive(peer.storeId);
  }

  /** A message of the core. What cannot be sent is lost, as on any network; the core hears of lost appends. */
  send(message: Message): void {
    const { context, node, lease } = this.#owner;
    const to = message.to === 0 ? undefined : this.peerInfo(message.to);
    if (to === undefined || (isLeaderContact(message) && context.heartbeatsAreHeld())) {
      return;
    }
    if (asksForVotes(message) && !this.#owner.mayLead()) {
      return;
    }
    if (message.type === "MsgHeartbeatResp" && this.#owner.start.record?.isDurable === false) {
      // It renews a lease: who is made anew after a crash would know nothing of that, and vote.
      return;
    }
    if (message.type === "MsgTimeoutNow") {
      lease.turnOff(node.term);
    }
    if (message.type === "MsgSnap") {
      this.#sendSnapshot(to, message);
      return;
    }
    const range = carriesRange(message) ? this.#owner.region() : undefined;
    const sent = context.transport.send(this.#envelope(to, range, { kind: "raft", message }));
    if (!sent && message.type === "MsgApp") {
      node.reportUnreachable(to.id);
    }
  }

  sendHibernate(to: PeerInfo, step: HibernateStep): void {
    const { term, commitIndex: commit } = this.#owner.node;
    const payload = { kind: "hibernate", step, term, commit } as const;
    this.#owner.context.transport.send(this.#envelope(to, undefined, payload));
  }

  /** To every other peer that the Region lists. */
  sendHibernateToAll(step: HibernateStep): void {
    for (const peer of this.#owner.region().peers.filter(({ id }) => id !== this.#owner.peerId)) {
      this.sendHibernate(peer, step);
    }
  }

  /** Tells a peer that the Region has it no more. */
  sendTombstone(to: PeerInfo): void {
    const { epoch } = this.#owner.region();
    this.#owner.context.transport.send(this.#envelope(to, undefined, { kind: "tombstone", epoch }));
  }

  /** To a peer of another Region; never to this Store itself. */
  askMerge(to: PeerInfo, question: MergeQuestion): void {
    if (to.storeId !== this.#owner.context.storeId) {
      this.#owner.context.transport.send(this.#envelope(to, undefined, { kind: "askMerge", question }));
    }
  }

  sendHash(to: PeerInfo, report: ReplicaHash): void {
    this.#owner.context.transport.send(this.#envelope(to, undefined, { kind: "replicaHash", report }));
  }

  #sendSnapshot(to: PeerInfo, message: Message): void {
    const envelope = this.#envelope(to, undefined, { kind: "raft", message });
    if (!this.#owner.snapshots.send(envelope)) {
      this.#owner.node.reportSnapshot(to.id, "failure");
    }
  }

  #envelope(toPeer: PeerInfo, range: PeerMessage["range"], payload: PeerMessage["payload"]): PeerMessage {
    const region = this.#owner.region();
    const fromPeer = this.peerInfo(this.#owner.peerId);
    assert(fromPeer !== undefined, "a peer is in its own Region");
    return { regionId: region.id, fromPeer, toPeer, epoch: region.epoch, range, payload };
  }
}

/** What makes followers count the leader as alive. */
function isLeaderContact(message: Message): boolean {
  return message.type === "MsgHeartbeat" || message.type === "MsgApp";
}

function carriesRange(message: Message): boolean {
  return message.type === "MsgVote" || message.type === "MsgPreVote" || message.type === "MsgHeartbeat";
}
