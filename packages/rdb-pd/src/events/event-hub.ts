import { RdbError, type RegionId, type StoreId } from "@flaredb/rdb-base";
import { CommandQueue } from "../heartbeat/command-queue.ts";
import { pdLimits } from "../limits.ts";
import type { OperatorRecord } from "../operator/operator-record.ts";

/** Something happened of which whoever watches PD wants to know. What a Region or Store is now, is asked elsewhere. */
export type PdEvent =
  | { readonly kind: "operator"; readonly operator: OperatorRecord }
  | { readonly kind: "region"; readonly regionId: RegionId }
  | { readonly kind: "store"; readonly storeId: StoreId };

/** An event with its place among all since this member began to lead. */
export type NumberedEvent = PdEvent & { readonly number: number };

/** What one reader has not read yet. */
export type EventQueue = CommandQueue<NumberedEvent>;

/** Hands events to everybody who watches. Costs nothing while nobody does; nobody who reads slowly holds it up. */
export class EventHub {
  readonly #queues = new Set<EventQueue>();
  #number = 0;

  get hasReaders(): boolean {
    return this.#queues.size > 0;
  }

  /**
   * A reader's queue, which gets everything from now on until `release`. It ends with RDB_SERVER_IS_BUSY when its reader
   * is too far behind, with RDB_NOT_LEADER when this member leads no more.
   *
   * @throws RdbError RDB_SERVER_IS_BUSY when there are as many readers as may be
   */
  subscribe(): EventQueue {
    if (this.#queues.size >= pdLimits.eventReaderMaxCount) {
      throw new RdbError(
        "RDB_SERVER_IS_BUSY",
        `${this.#queues.size} watch events already, eventReaderMaxCount is ${pdLimits.eventReaderMaxCount}`,
      );
    }
    const queue: EventQueue = new CommandQueue(pdLimits.eventQueueMaxCount);
    this.#queues.add(queue);
    return queue;
  }

  /** The reader is gone. Idempotent. */
  release(queue: EventQueue): void {
    this.#queues.delete(queue);
    queue.end();
  }

  emit(event: PdEvent): void {
    this.#number += 1;
    for (const queue of this.#queues) {
      if (!queue.push({ ...event, number: this.#number })) {
        this.#queues.delete(queue);
        queue.end(
          new RdbError(
            "RDB_SERVER_IS_BUSY",
            `the reader is ${pdLimits.eventQueueMaxCount} events behind: read everything again, and watch anew`,
          ),
        );
      }
    }
  }

  /** This member leads no more. */
  close(): void {
    const error = new RdbError("RDB_NOT_LEADER", "this member of PD leads no more: ask the one that does");
    for (const queue of this.#queues) {
      queue.end(error);
    }
    this.#queues.clear();
  }
}
