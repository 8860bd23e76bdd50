import type { Fault } from "./fault.ts";
import type { FaultyCluster, FaultyProcess } from "./injector.ts";

type StagedFault = Extract<Fault, { kind: "doubtful-leader" | "usurper" }>;

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
      cluster.transfer(fault.region, successorOf(others, fault.place));
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
  const usurper = successorOf(others, fault.place);
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

/** The one, if any, that may have brought a leader into doubt at a moment; counted from the start of the run. */
export function stagedFaultAt(faults: readonly Fault[], nowMs: number): StagedFault | undefined {
  return faults.find(
    (fault): fault is StagedFault =>
      isStaged(fault) && fault.atMs <= nowMs && nowMs < fault.atMs + fault.leadMs + DOUBT_MS,
  );
}

/**
 * Whether nothing should be written now: a follower that cannot reach the leader must not fall behind the others, or
 * none of them votes for it whatever it has forgotten.
 */
export function isReadOnlyAt(faults: readonly Fault[], nowMs: number): boolean {
  return faults.some(
    (fault) =>
      fault.kind === "usurper" && fault.atMs - SETTLE_MS <= nowMs && nowMs < fault.atMs + fault.leadMs,
  );
}

/** Whether the fault may bring a leader into doubt. */
export function isStaged(fault: Fault): fault is StagedFault {
  return fault.kind === "doubtful-leader" || fault.kind === "usurper";
}

/** What a fault has done so far, and what it is still to do. */
class Stage {
  readonly #cluster: FaultyCluster;
  readonly #undos: (() => void)[] = [];
  #isOver = false;

  constructor(cluster: FaultyCluster) {
    this.#cluster = cluster;
  }

  /** @param undo may be called more than once */
  add(undo: () => void): void {
    this.#undos.push(undo);
  }

  after(delayMs: number, callback: () => void): void {
    this.#cluster.setTimer(delayMs, () => {
      if (!this.#isOver) {
        callback();
      }
    });
  }

  cut(from: FaultyProcess, to: FaultyProcess): void {
    this.add(this.#cluster.addNetworkFault({ kind: "one-way", from: from.name, to: to.name }));
  }

  /** The clients whose bit is set find out at once that the Store is out of reach. */
  cutClients(store: FaultyProcess, bits: number): void {
    for (const client of this.#cluster.clients.filter((_, place) => (bits & (1 << place)) !== 0)) {
      this.cut(client, store);
      this.cut(store, client);
      this.#cluster.resetConnections(client.name, store.name);
    }
  }

  end(): void {
    this.#isOver = true;
    for (const undo of this.#undos) {
      undo();
    }
  }
}

/** The Region's leader, or some Store when none is known, and the other Stores. */
function rolesIn(
  cluster: FaultyCluster,
  region: number,
): { readonly leader: FaultyProcess; readonly others: readonly FaultyProcess[] } {
  const { stores } = cluster;
  const leader = cluster.leaderOf(region) ?? (stores[region % stores.length] as FaultyProcess);
  return { leader, others: stores.filter((store) => store !== leader) };
}

function successorOf(others: readonly FaultyProcess[], place: number): FaultyProcess {
  return others[place % others.length] as FaultyProcess;
}
