import type { RawNode } from "@flaredb/rdb-raft";

/** An entry that a leader proposed and that is not applied yet: so long it is not proposed again. */
export class InFlight {
  readonly #node: RawNode;
  #term = 0;
  #index = 0;

  constructor(node: RawNode) {
    this.#node = node;
  }

  /** The entry just proposed is the last of the log. */
  proposed(): void {
    this.#term = this.#node.term;
    this.#index = this.#node.lastIndex;
  }

  /** Another leader may have replaced it: then it is not counted on. */
  get isUnderWay(): boolean {
    const { isLeader, term, appliedIndex } = this.#node;
    return isLeader && term === this.#term && appliedIndex < this.#index;
  }
}
