import type { CommandKind, CommandOf, CommandResults } from "../command/command.ts";

/** The way to change PD's durable state, and the only one. */
export interface CommandLog {
  /**
   * Resolves once the command is durable on a majority of PD's members and applied here.
   *
   * @throws RdbError what applying it refuses with; RDB_NOT_LEADER when another member leads; RDB_SERVER_IS_BUSY past
   * `proposalMaxCount`; RDB_STALE_COMMAND when leadership was lost meanwhile, and RDB_CLOSED when PD stops: then it is
   * unknown whether it was done
   */
  propose<Kind extends CommandKind>(command: CommandOf<Kind>): Promise<CommandResults[Kind]>;
  /** The member that leads, 0 while none is known. */
  readonly leaderMemberId: number;
  readonly memberId: number;
  /** Of the last applied entry. */
  readonly appliedIndex: number;
}
