import type { Clock, Logger, Timer } from "@flaredb/rdb-base";
import { pdLimits } from "../limits.ts";
import { DiskRoom } from "./disk-room.ts";
import { heirOf } from "./hand-over.ts";
import type { MemberRoster } from "./member-roster.ts";
import type { PdRaft } from "./pd-raft.ts";

export interface RoomWatchOptions {
  /** Room of the file system that the data folder lies on, bytes. */
  readonly freeBytes: () => Promise<number>;
  readonly log: PdRaft;
  readonly roster: MemberRoster;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Looks after the room on a member's disk. The process ends at the first write that fails, and a leader that ends leaves
 * PD without one for an election; so one that has little room left lets another member lead before that.
 */
export class RoomWatch {
  readonly #options: RoomWatchOptions;
  readonly #room = new DiskRoom();
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(options: RoomWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.clock.setTimer(pdLimits.diskRoomEveryMs, () => {
      void this.#look().then(() => {
        if (!this.#isStopped) {
          this.start();
        }
      });
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { freeBytes, log, logger } = this.#options;
    let free: number;
    try {
      free = await freeBytes();
    } catch (error) {
      logger.warn({ reason: String(error) }, "the free disk space cannot be read");
      return;
    }
    if (!this.#isStopped) {
      this.#judge(free, log.leaderMemberId === log.memberId);
    }
  }

  #judge(freeBytes: number, leads: boolean): void {
    const { log, roster, clock, logger } = this.#options;
    const wasFull = this.#room.isFull;
    const isToHandOver = this.#room.observe(freeBytes, leads, clock.monotonicMs());
    const { isFull } = this.#room;
    if (isFull !== wasFull) {
      logger.warn(
        { freeBytes, fullDiskBytes: pdLimits.fullDiskBytes },
        isFull ? "the disk is full: this member does not lead if another one can" : "the disk has room again",
      );
    }
    const heir = isToHandOver ? heirOf(log, roster) : undefined;
    if (heir !== undefined) {
      log.transferLeader(heir);
    }
  }
}
