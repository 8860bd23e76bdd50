import type { Peer, Region } from "@flaredb/rdb-base";
import type { RawNode } from "@flaredb/rdb-raft";
import type { PreparedMerge } from "@flaredb/rdb-storage";
import type { MergeQuestion } from "../../store/peer-message.ts";

/** What the source of a merge asks with. */
export interface MergeInquiryOwner {
  readonly node: Pick<RawNode, "isLeader" | "lead">;
  send(to: Peer, question: MergeQuestion): void;
  /** Asks PD which Region has a key. Answers later, or never. */
  findRegionOfKey(key: Uint8Array, found: (region: Region) => void): void;
}

/** A source that has to ask does so once in so many ticks. */
export const MERGE_ASK_TICKS = 40;
/** After so many ticks, 10 s of 50 ms each, a source does not wish to be taken any more. */
const GIVE_UP_TICKS = 200;

/**
 * Asks other Stores what became of a merge, when this one cannot tell: its peer of the target is gone, or nothing has
 * happened for long. Whoever has the target's log, or the state that it led to, knows; PD only says where that is. After
 * some time the target's leader is asked to decide against the merge (ADR 11).
 */
export class MergeInquiry {
  readonly #owner: MergeInquiryOwner;
  #tickCount = 0;
  /** The PrepareMerge of which another Store said that the target never takes it. For good, so it may come late. */
  #refusedIndex = 0;

  constructor(owner: MergeInquiryOwner) {
    this.#owner = owner;
  }

  /** The Region waits from now on, or no more. */
  restart(): void {
    this.#tickCount = 0;
  }

  get hasGivenUp(): boolean {
    return this.#tickCount >= GIVE_UP_TICKS;
  }

  /** Another Store knows that the merge will never be. */
  refused(prepareIndex: number): void {
    this.#refusedIndex = prepareIndex;
  }

  isRefused({ prepareIndex }: PreparedMerge): boolean {
    return this.#refusedIndex === prepareIndex;
  }

  /** At each tick of every peer of a Region that waits. */
  tick(prepared: PreparedMerge, hasTarget: boolean): void {
    this.#tickCount++;
    const isTime = this.#tickCount % MERGE_ASK_TICKS === MERGE_ASK_TICKS / 2;
    const { isLeader, lead } = this.#owner.node;
    // Without a leader this peer may be the last one: the others were taken, and their Stores are gone.
    if (isTime && (isLeader || lead === 0) && (!hasTarget || this.hasGivenUp)) {
      this.#ask(prepared);
    }
  }

  #ask({ target, prepareIndex }: PreparedMerge): void {
    const ask = (keeper: Region): void => {
      const question: MergeQuestion = {
        target: { id: target.id, epoch: target.epoch },
        prepareIndex,
        keeper: keeper.id,
        givesUp: this.hasGivenUp,
      };
      for (const peer of keeper.peers) {
        this.#owner.send(peer, question);
      }
    };
    ask(target);
    // Where the target's first key is now, the target is, or the Region that took it, or took that one.
    this.#owner.findRegionOfKey(target.startKey, ask);
  }
}
