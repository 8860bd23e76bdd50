import type { Message } from "@flaredb/rdb-raft";

/** One piece of the append thread's work: an append on its way to the disk, or a snapshot that is installed. */
export interface AppendWork {
  readonly responses: readonly Message[];
  isDone: boolean;
}

/**
 * What a peer has at the disk, in the order in which the core asked for it. The core takes an answer as the word for
 * everything before it, so appends behind a snapshot, which are durable sooner, are answered after it.
 */
export class AppendOrder {
  #works: AppendWork[] = [];

  get isEmpty(): boolean {
    return this.#works.length === 0;
  }

  begin(responses: readonly Message[]): AppendWork {
    const work = { responses, isDone: false };
    this.#works.push(work);
    return work;
  }

  /** The work is durable. @returns what may be answered now: of this one, or also of others that waited for it */
  end(work: AppendWork): Message[] {
    work.isDone = true;
    const firstOpen = this.#works.findIndex((one) => !one.isDone);
    const ended = this.#works.splice(0, firstOpen === -1 ? this.#works.length : firstOpen);
    return ended.flatMap((one) => one.responses);
  }
}
