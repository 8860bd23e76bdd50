import type { Fault } from "./fault.ts";
import type { FaultyCluster } from "./injector.ts";
import { Stage, followersOf, rolesIn } from "./stage.ts";

type StagedFault = Extract<
  Fault,
  { kind: "doubtful-leader" | "usurper" | "late-answers" | "lost-transfer" | "missed-merge" }
>;

// Faults in two stages, aimed at a leader that does not know yet that another one leads. Chance alone seldom brings
// about the few hundred milliseconds in which it could answer reads that it must not answer.

/** How long after its second stage begins there may still be two that take themselves for the leader. */
const DOUBT_MS = 2_500;
/** How long before such a fault the last writes are sent. */
const SETTLE_MS = 300;
/** What a Store needs to hear of TimeoutNow before it is cut off, at most. */
const HAND_OVER_MS = 30;

/** The leader hears of the others late; then it may hand over, loses sight of them, and some clients lose it. */
export function beginDoubtfulLeader(
  cluster: FaultyCluster,
  fault: Extract<Fault, { kind: "doubtful-leader" }>,
): () => void {
  const stage = new Stage(cluster);
  const { leader, others } = rolesIn(cluster, fault.region);
  const followers = followersOf(cluster, fault.region);
  if (fault.lateMs > 0) {
    for (const other of others) {
      stage.add(
        cluster.addNetworkFault({
          kind: "slow-link",
          from: other.name,
          to: leader.name,
          delayMs: fault.lateMs,
        }),
      );
    }
  }
  stage.after(fault.leadMs, () => {
    if (fault.transfers) {
      const successor = followers[fault.place % followers.length];
      if (successor !== undefined) {
        cluster.transfer(fault.region, successor);
      }
    }
    if (fault.cut === "in" || fault.cut === "both") {
      others.forEach((other) => stage.cut(other, leader));
    }
    if (fault.cut === "out" || fault.cut === "both") {
      stage.after(fault.transfers ? HAND_OVER_MS : 0, () =>
        others.forEach((other) => stage.cut(leader, other)),
      );
    }
    stage.cutClients(leader, fault.clients);
  });
  return () => stage.end();
}

/**
 * One follower is cut off from the leader and campaigns in vain; then the others, who refuse it their votes, start
 * anew, and do not hear of the leader any more either.
 */
export function beginUsurper(cluster: FaultyCluster, fault: Extract<Fault, { kind: "usurper" }>): () => void {
  const stage = new Stage(cluster);
  const { leader, others } = rolesIn(cluster, fault.region);
  const followers = followersOf(cluster, fault.region);
  const usurper = followers[fault.place % followers.length];
  if (usurper === undefined) {
    return () => {};
  }
  stage.cut(leader, usurper);
  stage.cut(usurper, leader);
  stage.after(fault.leadMs, () => {
    for (const voter of others.filter((other) => other !== usurper)) {
      const release = voter.hold();
      voter.end("kill");
      stage.add(release);
      stage.after(fault.restartMs, release);
      stage.cut(leader, voter);
      stage.cut(voter, leader);
    }
    stage.cutClients(leader, fault.clients);
  });
  return () => stage.end();
}

/** The one, if any, that clients are in a hurry for at a moment; counted from the start of the run. */
export function stagedFaultAt(faults: readonly Fault[], nowMs: number): StagedFault | undefined {
  return faults.find(
    (fault): fault is StagedFault =>
      isStaged(fault) && fault.atMs <= nowMs && nowMs < fault.atMs + fault.leadMs + hurryMs(fault),
  );
}

/** Whether the client at this place writes meanwhile; the others read. */
export function writesIn(fault: StagedFault, place: number): boolean {
  switch (fault.kind) {
    case "lost-transfer":
      // Whoever misses a part of the log should miss much of it,
      return true;
    case "missed-merge":
      // or some of it: a log that is cut meanwhile cannot be merged.
      return place === 0;
    default:
      return (fault.clients & (1 << place)) !== 0;
  }
}

/** How long after its second stage begins. */
function hurryMs({ kind }: StagedFault): number {
  return kind === "lost-transfer" || kind === "missed-merge" ? 0 : DOUBT_MS;
}

/** Whether nothing should be written now: some faults need followers that have, and are known to have, everything. */
export function isReadOnlyAt(faults: readonly Fault[], nowMs: number): boolean {
  return faults.some(
    (fault) =>
      needsLevelFollowers(fault) && fault.atMs - SETTLE_MS <= nowMs && nowMs < fault.atMs + fault.leadMs,
  );
}

/**
 * A follower that cannot reach the leader must not fall behind the others, or none of them votes for it whatever it has
 * forgotten. And a leader hands over only to whom it knows to have everything, and not for long.
 */
function needsLevelFollowers(fault: Fault): fault is StagedFault {
  return (
    fault.kind === "usurper" || (fault.kind === "doubtful-leader" && fault.transfers && fault.lateMs > 0)
  );
}

/** Whether clients are in a hurry while it goes on. */
export function isStaged(fault: Fault): fault is StagedFault {
  return (
    fault.kind === "doubtful-leader" ||
    fault.kind === "usurper" ||
    fault.kind === "late-answers" ||
    fault.kind === "lost-transfer" ||
    fault.kind === "missed-merge"
  );
}
