import type { Peer as PeerInfo, PeerId, Region } from "@flaredb/rdb-base";
import type { RawNode } from "@flaredb/rdb-raft";
import type { RaftLogStore } from "@flaredb/rdb-storage";
import type { FollowerProgress } from "../store/store-handle.ts";
import type { LogGcView } from "./log-gc.ts";
import { hasQuorum, votesAfter } from "./admin/voter-sets.ts";

/** What a leader sees of the Region's other peers. */
export interface FollowerViewOwner {
  readonly peerId: PeerId;
  readonly node: RawNode;
  readonly log: RaftLogStore;
  region(): Region;
  isAlive(peer: PeerInfo): boolean;
}

/** Peers that PD should know of. */
export interface FollowerTroubles {
  /** On Stores that are not heard of. */
  readonly down: PeerId[];
  /** Too far behind for the log, or being sent a snapshot. */
  readonly pending: PeerId[];
}

/** How often a leader looks whether peers fell behind or went silent. */
const LOOK_INTERVAL_MS = 1_000;

const stateNames = {
  StateProbe: "probe",
  StateReplicate: "replicate",
  StateSnapshot: "snapshot",
} as const;
const NO_TROUBLES: FollowerTroubles = { down: [], pending: [] };

/** Answers a leader's questions about its followers: who lives, who has what, who could take over. */
export class FollowerView {
  readonly #owner: FollowerViewOwner;
  /** Undefined: PD may have been told of troubles that are not known here. */
  #reported: string | undefined;
  #nextLookMs = 0;

  constructor(owner: FollowerViewOwner) {
    this.#owner = owner;
  }

  /** The other peers whose Stores are heard of. */
  live(): PeerInfo[] {
    return this.#others().filter((peer) => this.#owner.isAlive(peer));
  }

  /** Bytes of entries that were sent to all of them and not acknowledged. */
  get inFlightBytes(): number {
    const { node } = this.#owner;
    return this.#others().reduce((sum, { id }) => sum + (node.progressOf(id)?.inflights.bytes ?? 0), 0);
  }

  match(peer: PeerInfo): number {
    return this.#owner.node.progressOf(peer.id)?.match ?? 0;
  }

  /**
   * What those that live still need of the log.
   *
   * @param snapshotOf the snapshot under way to a peer that has everything up to `match`
   */
  logNeeds(
    snapshotOf: (peerId: PeerId, match: number) => number | undefined,
  ): Pick<LogGcView, "liveMatchIndexes" | "snapshotIndexes" | "isAnybodyAway"> {
    const live = this.live();
    return {
      liveMatchIndexes: live.map((peer) => this.match(peer)),
      snapshotIndexes: live.flatMap((peer) => snapshotOf(peer.id, this.match(peer)) ?? []),
      isAnybodyAway: live.length < this.#others().length,
    };
  }

  /** Whether a quorum of voters lives, this one included. */
  hasLiveQuorum(): boolean {
    const owner = this.#owner;
    return hasQuorum(owner.region().peers, (peer) => peer.id === owner.peerId || owner.isAlive(peer));
  }

  /** How far each of the others is; none where this peer does not lead. */
  progress(): FollowerProgress[] {
    const { node } = this.#owner;
    return this.#others().flatMap((peer) => {
      const progress = node.isLeader ? node.progressOf(peer.id) : undefined;
      return progress === undefined
        ? []
        : [
            {
              peerId: peer.id,
              state: stateNames[progress.state],
              matchIndex: progress.match,
              nextIndex: progress.next,
              isAlive: this.#owner.isAlive(peer),
            },
          ];
    });
  }

  troubles(): FollowerTroubles {
    const { node, log } = this.#owner;
    if (!node.isLeader) {
      return NO_TROUBLES;
    }
    const lastTruncated = log.firstIndex() - 1;
    const isPending = (peer: PeerInfo): boolean =>
      node.progressOf(peer.id)?.state === "StateSnapshot" || this.match(peer) < lastTruncated;
    const ids = (peers: readonly PeerInfo[]): PeerId[] => peers.map((peer) => peer.id);
    return {
      down: ids(this.#others().filter((peer) => !this.#owner.isAlive(peer))),
      pending: ids(this.#others().filter(isPending)),
    };
  }

  /** A new leader reports itself before it has heard of its followers: what it said then must be said again. */
  becameLeader(): void {
    this.#reported = undefined;
  }

  /** Whether PD should hear of troubles that came or went. Asked at each tick of a leader, and looks now and then. */
  isTimeToReport(nowMs: number): boolean {
    if (nowMs < this.#nextLookMs) {
      return false;
    }
    this.#nextLookMs = nowMs + LOOK_INTERVAL_MS;
    return this.troublesChanged();
  }

  /**
   * Whether the troubles differ from the ones seen at the last call; yes at the first of a leadership, and at the first
   * with other peers: what was reported along with the change may be over since.
   */
  troublesChanged(): boolean {
    const { down, pending } = this.troubles();
    const now = `${this.#owner.region().epoch.confVer}: ${down.join()}/${pending.join()}`;
    const changed = now !== this.#reported;
    this.#reported = now;
    return changed;
  }

  /** The live voter that has most of the log, and none of those `except`. */
  bestSuccessor(except: readonly PeerId[]): PeerId | undefined {
    return this.live()
      .filter((peer) => votesAfter(peer) && !except.includes(peer.id))
      .toSorted((a, b) => this.match(b) - this.match(a))[0]?.id;
  }

  #others(): PeerInfo[] {
    return this.#owner.region().peers.filter((peer) => peer.id !== this.#owner.peerId);
  }
}
