import { RdbError } from "@flaredb/rdb-base";
import { pdLimits } from "../limits.ts";

/** Takes `count` consecutive ids out of the durable sequence; resolves with the first once that is durable. */
export type LeaseIds = (count: number) => Promise<number>;

/**
 * Gives out ids from memory, out of leases that PD's log holds before the first of their ids is used. What a lease
 * has left when the process ends is lost, so ids never repeat, but have gaps.
 */
export class IdAllocator {
  readonly #leaseIds: LeaseIds;
  #nextId = 0;
  /** Invariant: [nextId, endId) is leased and unused. */
  #endId = 0;
  /** The allocation that runs, and those behind it. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(leaseIds: LeaseIds) {
    this.#leaseIds = leaseIds;
  }

  /**
   * The first of `count` consecutive ids.
   *
   * @throws RdbError RDB_INVALID_ARGUMENT when `count` is not from 1 to `allocateMaxCount`; what leasing throws
   */
  async allocate(count: number): Promise<number> {
    if (!Number.isInteger(count) || count < 1 || count > pdLimits.allocateMaxCount) {
      throw new RdbError("RDB_INVALID_ARGUMENT", `count ${count} must be 1 to ${pdLimits.allocateMaxCount}`, {
        details: { field: "count", limit: pdLimits.allocateMaxCount },
      });
    }
    // One after the other: two callers must not both lease because neither saw the other's lease.
    const allocation = this.#tail.then(() => this.#take(count));
    this.#tail = allocation.catch(() => {
      // The caller is told; those behind it try for themselves.
    });
    return allocation;
  }

  async #take(count: number): Promise<number> {
    if (this.#endId - this.#nextId < count) {
      const leaseCount = Math.max(count, pdLimits.idLeaseCount);
      const firstId = await this.#leaseIds(leaseCount);
      // Ids are consecutive within one answer, so the rest of an older lease is only of use if this one adjoins it.
      if (firstId !== this.#endId) {
        this.#nextId = firstId;
      }
      this.#endId = firstId + leaseCount;
    }
    const firstId = this.#nextId;
    this.#nextId += count;
    return firstId;
  }
}
