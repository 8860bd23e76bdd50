import type { Clock, Peer as PeerInfo } from "@flaredb/rdb-base";
import type { RawNode } from "@flaredb/rdb-raft";
import type { HibernateStep } from "../store/peer-message.ts";
import type { FollowerView } from "./follower-view.ts";
import { Hibernation } from "./hibernation.ts";
import type { LeaderLease } from "./lease.ts";
import type { Outbox } from "./outbox.ts";

/** What sleeps and wakes. */
export interface SleepPathOwner {
  readonly clock: Clock;
  readonly node: RawNode;
  readonly outbox: Outbox;
  readonly followers: FollowerView;
  readonly lease: LeaderLease;
  appliedIndex(): number;
  /** Whether nothing waits here and nothing is on its way to the disk. */
  isIdle(): boolean;
}

/** A message about sleep. */
export interface HibernateMessage {
  readonly step: HibernateStep;
  readonly term: number;
  readonly commit: number;
}

/**
 * Lets an idle Region sleep and wakes it (DESIGN §4): the leader asks every live voter and sleeps when all have
 * everything and agree; it gives its lease up first. Peers on silent Stores are left out, and woken at their return.
 */
export class SleepPath {
  readonly #owner: SleepPathOwner;
  readonly #state: Hibernation;
  readonly #promiseMs: number;
  #asleepSinceMs = Number.NEGATIVE_INFINITY;

  /**
   * @param idleMs how long without activity before a leader asks; 0: never
   * @param promiseMs how long a follower that heard of its leader votes for nobody else: an election timeout
   */
  constructor(
    owner: SleepPathOwner,
    { idleMs, promiseMs }: { readonly idleMs: number; readonly promiseMs: number },
  ) {
    this.#owner = owner;
    this.#state = new Hibernation(idleMs, owner.clock.monotonicMs());
    this.#promiseMs = promiseMs;
  }

  get isAsleep(): boolean {
    return this.#state.isAsleep;
  }

  /**
   * Something happened to the Region, or is wanted of it.
   *
   * @returns whether the peer slept until now
   */
  wake(isWanted = false): boolean {
    const nowMs = this.#owner.clock.monotonicMs();
    if (!this.#state.noteActivity(nowMs, isWanted)) {
      return false;
    }
    const { node, outbox } = this.#owner;
    node.resetElectionElapsed();
    if (node.isLeader) {
      node.resetRecentActive();
      node.sendHeartbeats();
    } else {
      if (nowMs - this.#asleepSinceMs >= this.#promiseMs) {
        node.lapseLeaderContact();
      }
      const leader = node.lead === 0 ? undefined : outbox.peerInfo(node.lead);
      if (leader !== undefined) {
        outbox.sendHibernate(leader, "Wake");
      }
    }
    return true;
  }

  /**
   * After a wake. While the Store that leads the Region is silent, the first in line of the voters that are left asks for
   * votes at once: it was silent for longer than an election timeout, and of thousands of Regions that wake none is to
   * wait out another one, awake. The others are patient, so that they do not tie.
   */
  takeOver(): void {
    const { node, outbox, followers } = this.#owner;
    const leader = node.lead === 0 ? undefined : outbox.peerInfo(node.lead);
    if (node.isLeader || leader === undefined || outbox.isAlive(leader)) {
      return;
    }
    if (followers.live().every((peer) => peer.role === "Learner" || peer.id > node.id)) {
      node.campaign();
    }
  }

  /** At a leader's tick. */
  tickLeader(nowMs: number): void {
    if (!this.#state.shouldAsk(nowMs) || !this.#maySleep()) {
      return;
    }
    const asked = this.#owner.followers.live();
    this.#state.ask(
      asked.map((peer) => peer.id),
      nowMs,
    );
    for (const peer of asked) {
      this.#owner.outbox.sendHibernate(peer, "Ask");
    }
    if (asked.length === 0) {
      this.#fallAsleep();
    }
  }

  /** @returns whether the peer slept until now */
  step(from: PeerInfo, message: HibernateMessage): boolean {
    const { node } = this.#owner;
    switch (message.step) {
      case "Ask":
        if (this.#agreesWith(from, message)) {
          this.#owner.outbox.sendHibernate(from, "Agree");
        }
        return false;
      case "Agree":
        if (node.isLeader && node.term === message.term && this.#state.agreed(from.id)) {
          this.#fallAsleep();
        }
        return false;
      case "Sleep":
        if (this.#agreesWith(from, message)) {
          this.#sleep();
        }
        return false;
      case "Wake":
        return this.wake();
    }
  }

  /** A follower that has exactly what its leader has, and nothing to do. */
  #agreesWith(from: PeerInfo, { term, commit }: HibernateMessage): boolean {
    const { node } = this.#owner;
    const follows = !node.isLeader && node.lead === from.id && node.term === term;
    return (
      follows && node.lastIndex === commit && this.#owner.appliedIndex() === commit && this.#owner.isIdle()
    );
  }

  /** Every live peer has everything, a quorum lives, and nothing is under way. */
  #maySleep(): boolean {
    const { node, followers } = this.#owner;
    const isLevel = node.commitIndex === node.lastIndex && this.#owner.appliedIndex() === node.lastIndex;
    return (
      isLevel &&
      node.leadTransferee === 0 &&
      this.#owner.isIdle() &&
      followers.hasLiveQuorum() &&
      followers.live().every((peer) => followers.match(peer) === node.lastIndex)
    );
  }

  #fallAsleep(): void {
    if (!this.#maySleep()) {
      return;
    }
    // First: while a leader sleeps nobody counts its contact, so another may be elected at any time.
    this.#owner.lease.expire();
    for (const peer of this.#owner.followers.live()) {
      this.#owner.outbox.sendHibernate(peer, "Sleep");
    }
    this.#sleep();
  }

  /**
   * From here on no time is counted in ticks. The leader's last contact was before, and may have been a lease's: a word
   * to sleep can arrive late, when the leader works again. So the contact lapses only some time after this moment.
   */
  #sleep(): void {
    this.#state.sleep();
    this.#asleepSinceMs = this.#owner.clock.monotonicMs();
  }
}
