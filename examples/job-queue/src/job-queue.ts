import { randomUUID } from "node:crypto";
import { type KeySpace, type TypedSpace, jsonCodec, textCodec } from "@flaredb/rdb-client";

/** A job that waits, or that somebody works on. */
interface OpenJob<Payload> {
  readonly payload: Payload;
  /** Who works on it, and until when others leave it alone; undefined: nobody does. */
  readonly lease?: { readonly claimId: string; readonly untilMs: number };
}

/** What came of a job. */
interface DoneJob<Result> {
  readonly result: Result;
  readonly doneMs: number;
}

/** A job that is yours for a while. */
export interface Claim<Payload> {
  readonly id: string;
  readonly payload: Payload;
  /** @internal */
  readonly claimId: string;
}

export interface JobQueueOptions {
  /** How long a worker may be silent before somebody else takes its job, in milliseconds. Default 30 s. */
  readonly leaseMs?: number;
  /** The wall clock. */
  readonly nowMs?: () => number;
}

/**
 * A queue of jobs, each of which has exactly one result, however often workers die, are too slow, or try twice.
 *
 * Two rows tell the whole story of a job. `open/ID` is there while it is to be done; its lease keeps two workers from
 * doing the same, most of the time. `done/ID` is written once, if absent: that write decides. Who comes second is told
 * so, and throws its result away. Leases save work; they are not what makes it right.
 */
export class JobQueue<Payload, Result> {
  readonly #open: TypedSpace<string, OpenJob<Payload>>;
  readonly #done: TypedSpace<string, DoneJob<Result>>;
  readonly #leaseMs: number;
  readonly #nowMs: () => number;

  /** @param space where the jobs are kept, such as `db.namespace("mails/")` */
  constructor(space: KeySpace, { leaseMs = 30_000, nowMs = Date.now }: JobQueueOptions = {}) {
    this.#open = space.namespace("open/").typed({ key: textCodec, value: jsonCodec<OpenJob<Payload>>() });
    this.#done = space.namespace("done/").typed({ key: textCodec, value: jsonCodec<DoneJob<Result>>() });
    this.#leaseMs = leaseMs;
    this.#nowMs = nowMs;
  }

  /**
   * Adds a job. Its id is the caller's, and jobs are done about in the order of their ids. The same id again is the same
   * job: after an error whose outcome is unknown, simply call again.
   *
   * @returns false: it is there already, or done
   */
  async enqueue(id: string, payload: Payload): Promise<boolean> {
    if ((await this.#done.get(id)) !== undefined) {
      return false;
    }
    // Should it be done between these two lines, the row that is made here is swept away by who finds it.
    return (await this.#open.compareAndSwap(id, { absent: true }, { payload })).succeeded;
  }

  /** The first job that nobody works on, for `leaseMs` from now; undefined: there is none. */
  async claim(): Promise<Claim<Payload> | undefined> {
    for await (const { key: id, value: job, version } of this.#open.scan()) {
      if (job.lease !== undefined && job.lease.untilMs > this.#nowMs()) {
        continue;
      }
      if ((await this.#done.get(id)) !== undefined) {
        // Its worker died between the result and this: nothing is left to do.
        await this.#open.compareAndDelete(id, { version });
        continue;
      }
      const claimId = randomUUID();
      const lease = { claimId, untilMs: this.#nowMs() + this.#leaseMs };
      const { payload } = job;
      if ((await this.#open.compareAndSwap(id, { version }, { payload, lease })).succeeded) {
        return { id, payload, claimId };
      }
    }
    return undefined;
  }

  /** Says that the worker lives. @returns false: somebody else has the job by now, stop */
  async extend({ id, claimId, payload }: Claim<Payload>): Promise<boolean> {
    const row = await this.#open.get(id);
    if (row?.value.lease?.claimId !== claimId) {
      return false;
    }
    const lease = { claimId, untilMs: this.#nowMs() + this.#leaseMs };
    return (await this.#open.compareAndSwap(id, { version: row.version }, { payload, lease })).succeeded;
  }

  /** Gives a job back, undone: somebody else may have it at once. */
  async release({ id, claimId, payload }: Claim<Payload>): Promise<void> {
    const row = await this.#open.get(id);
    if (row?.value.lease?.claimId === claimId) {
      await this.#open.compareAndSwap(id, { version: row.version }, { payload });
    }
  }

  /**
   * Records what came of a job.
   *
   * @returns false: somebody else's result counts, this one is to be forgotten
   */
  async complete({ id, claimId }: Claim<Payload>, result: Result): Promise<boolean> {
    const done = { result, doneMs: this.#nowMs() };
    const { succeeded } = await this.#done.compareAndSwap(id, { absent: true }, done);
    const row = await this.#open.get(id);
    if (row !== undefined && (succeeded || row.value.lease?.claimId === claimId)) {
      await this.#open.compareAndDelete(id, { version: row.version });
    }
    return succeeded;
  }

  /** What came of a job; undefined: nothing yet. */
  async result(id: string): Promise<Result | undefined> {
    return (await this.#done.get(id))?.value.result;
  }

  /** Forgets results that are older. From then on their ids are new again. */
  async prune(olderThanMs: number): Promise<void> {
    for await (const { key, value, version } of this.#done.scan()) {
      if (value.doneMs < this.#nowMs() - olderThanMs) {
        await this.#done.compareAndDelete(key, { version });
      }
    }
  }
}
