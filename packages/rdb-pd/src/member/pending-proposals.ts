import { RdbError } from "@flaredb/rdb-base";
import type { ProposalId } from "../command/command-codec.ts";
import { pdLimits } from "../limits.ts";

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: RdbError) => void;
}

/** This process's commands that are on their way through the log, and who waits for them. */
export class PendingProposals {
  readonly #proposer: number;
  #sequence = 0;
  readonly #waiting = new Map<number, Waiting>();

  /** @param proposer tells this process's commands from those that an earlier one left in the log */
  constructor(proposer: number) {
    this.#proposer = proposer;
  }

  /**
   * An id for a command, and the promise of its answer.
   *
   * @throws RdbError RDB_SERVER_IS_BUSY at `proposalMaxCount`
   */
  open<Result>(): { readonly id: ProposalId; readonly answer: Promise<Result> } {
    if (this.#waiting.size >= pdLimits.proposalMaxCount) {
      throw new RdbError(
        "RDB_SERVER_IS_BUSY",
        `${this.#waiting.size} commands wait for the placement driver's log, proposalMaxCount is ${pdLimits.proposalMaxCount}`,
      );
    }
    this.#sequence += 1;
    const sequence = this.#sequence;
    const answer = new Promise<Result>((resolve, reject) => {
      this.#waiting.set(sequence, { resolve: resolve as (result: unknown) => void, reject });
    });
    return { id: { proposer: this.#proposer, sequence }, answer };
  }

  /** The command was applied. Nothing happens when it is another process's. */
  settle(id: ProposalId, outcome: { readonly result: unknown } | { readonly refusal: RdbError }): void {
    const waiting = id.proposer === this.#proposer ? this.#waiting.get(id.sequence) : undefined;
    if (waiting === undefined) {
      return;
    }
    this.#waiting.delete(id.sequence);
    if ("refusal" in outcome) {
      waiting.reject(outcome.refusal);
    } else {
      waiting.resolve(outcome.result);
    }
  }

  /** Nobody will hear of what waits. */
  failAll(error: RdbError): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) {
      reject(error);
    }
  }
}
