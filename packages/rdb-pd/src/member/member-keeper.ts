import { type Clock, type Logger, RdbError, type Timer, peerId } from "@flaredb/rdb-base";
import { pdLimits } from "../limits.ts";
import type { MemberInfo } from "./member-info.ts";
import type { MemberRoster } from "./member-roster.ts";
import { checkAddition, checkRemoval, checkTransfer } from "./membership-rules.ts";
import type { PdRaft } from "./pd-raft.ts";

export interface MemberKeeperOptions {
  readonly log: PdRaft;
  readonly roster: MemberRoster;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What the leader does for its own group: keeps addresses on record, gives votes, and changes members when asked. */
export class MemberKeeper {
  readonly #options: MemberKeeperOptions;
  #timer: Timer | undefined;
  #isKeeping = false;

  constructor(options: MemberKeeperOptions) {
    this.#options = options;
  }

  /** With the leadership. */
  start(): void {
    this.stop();
    void this.#keep();
    this.#timer = this.#options.clock.setTimer(pdLimits.membersEveryMs, () => this.start());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /**
   * Takes a further member in, without a vote until it runs and has what the others have.
   *
   * @throws RdbError see {@link checkAddition}; what the log throws
   */
  async add(added: { readonly name: string; readonly address: string }): Promise<MemberInfo> {
    const { log, roster } = this.#options;
    checkAddition(this.#view(), added);
    await this.#record(roster.unrecorded());
    // Somebody else may have added one meanwhile.
    checkAddition(this.#view(), added);
    const member = { ...added, id: roster.nextId(), httpAddress: "" };
    await log.proposeChange([{ type: "AddLearnerNode", nodeId: peerId(member.id) }], {
      kind: "PutMember",
      member,
    });
    return member;
  }

  /** For good. @throws RdbError see {@link checkRemoval}; what the log throws */
  async remove(memberId: number): Promise<void> {
    checkRemoval(this.#view(), memberId);
    await this.#options.log.proposeChange([{ type: "RemoveNode", nodeId: peerId(memberId) }], {
      kind: "RemoveMember",
      memberId,
    });
  }

  /** Does not wait for it: the other member leads a moment later, or this one goes on. @throws see {@link checkTransfer} */
  transferLeader(memberId: number): void {
    checkTransfer(this.#view(), memberId);
    if (memberId !== this.#options.log.memberId) {
      this.#options.log.transferLeader(peerId(memberId));
    }
  }

  #view() {
    const { log, roster } = this.#options;
    return { leaderMemberId: log.leaderMemberId, members: roster.members() };
  }

  /** Never rejects. */
  async #keep(): Promise<void> {
    const { log, roster, logger } = this.#options;
    if (this.#isKeeping || log.isAlone) {
      return;
    }
    this.#isKeeping = true;
    try {
      await this.#record(roster.unrecorded());
      await this.#promote();
    } catch (error) {
      logger.info({ reason: RdbError.from(error).message }, "members were not looked after");
    } finally {
      this.#isKeeping = false;
    }
  }

  async #record(members: readonly MemberInfo[]): Promise<void> {
    for (const member of members) {
      await this.#options.log.propose({ kind: "PutMember", member });
    }
  }

  /** Gives the learner its vote that runs and lacks little. */
  async #promote(): Promise<void> {
    const { log, roster } = this.#options;
    const ready = roster.members().find(({ id, isLearner, isUp }) => {
      const matchIndex = log.progressOf(peerId(id))?.matchIndex ?? 0;
      // 0: it never ran. A new member has nothing in common with the group before its first snapshot.
      const lacksLittle = matchIndex > 0 && log.appliedIndex - matchIndex <= pdLimits.promotionLagMaxCount;
      return isLearner && isUp && lacksLittle;
    });
    const member = ready === undefined ? undefined : roster.info(ready.id);
    if (member !== undefined) {
      await log.proposeChange([{ type: "AddNode", nodeId: peerId(member.id) }], {
        kind: "PutMember",
        member,
      });
    }
  }
}
