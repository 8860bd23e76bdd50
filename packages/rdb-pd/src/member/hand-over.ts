import { type Clock, type PeerId, peerId } from "@flaredb/rdb-base";
import type { MemberRoster } from "./member-roster.ts";
import type { PdRaft } from "./pd-raft.ts";

const LOOK_EVERY_MS = 20;
/** Then the others elect one by themselves. */
const LOOKS_MAX_COUNT = 50;

/**
 * Before a leader stops in good order: lets the member lead that has the most of its log, so that nobody has to wait
 * for an election. Resolves when that leads, or nobody can.
 */
export async function handOver(log: PdRaft, roster: MemberRoster, clock: Clock): Promise<void> {
  const heir = heirOf(log, roster);
  if (heir === undefined || log.leaderMemberId !== log.memberId) {
    return;
  }
  log.transferLeader(heir);
  for (let look = 0; look < LOOKS_MAX_COUNT && log.leaderMemberId === log.memberId; look++) {
    await new Promise<void>((resolve) => clock.setTimer(LOOK_EVERY_MS, resolve));
  }
}

/** On a leader: the voter beside it that is up and has the most of its log; undefined: there is none. */
export function heirOf(log: PdRaft, roster: MemberRoster): PeerId | undefined {
  const matchOf = (id: number): number => log.progressOf(peerId(id))?.matchIndex ?? 0;
  const [heir] = roster
    .members()
    .filter(({ id, isLearner, isUp }) => id !== log.memberId && !isLearner && isUp)
    .sort((a, b) => matchOf(b.id) - matchOf(a.id));
  return heir === undefined ? undefined : peerId(heir.id);
}
