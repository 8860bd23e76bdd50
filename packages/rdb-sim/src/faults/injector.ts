import { assertNever } from "@flaredb/rdb-base";
import { type AdminAction, isAdminAction } from "./elastic-action.ts";
import type { Fault, FaultKind, NetworkFaultAction, Target, Targets } from "./fault.ts";
import type { ActiveNetworkFault } from "./network-faults.ts";
import { beginLateAnswers } from "./late-answers.ts";
import { beginLostTransfer } from "./lost-transfer.ts";
import { beginMissedChange } from "./missed-change.ts";
import { beginMissedMerge } from "./missed-merge.ts";
import { beginOvertakenSnapshot } from "./overtaken-snapshot.ts";
import { beginDoubtfulLeader, beginUsurper } from "./staged-faults.ts";
import { beginUntoldChange } from "./untold-change.ts";

/** A process as faults see it. */
export interface FaultyProcess {
  readonly name: string;
  hold(): () => void;
  end(kind: "kill" | "power-off"): void;
  stop(): void;
  pause(): () => void;
  jumpWallMs(byMs: number): void;
  /** Undefined: it has none. */
  readonly disk: FaultyDisk | undefined;
}

/** A disk as faults see it. */
export interface FaultyDisk {
  slow(writeMs: number): () => void;
  setFull(isFull: boolean): void;
  /** Writes fail from now on; the process will end. @returns a new disk with what was durable */
  break(): () => void;
  crashAtWrite(
    writeCount: number,
    moment: "torn" | "durable",
    crash: () => void,
    from?: "now" | "next-deletion",
  ): void;
  cancelCrash(): void;
}

/** A Region: by its place in the key space when the run began, or by a key that it has. */
export type RegionAt = number | string;

/** What a fault may wait for. */
export type AwaitedMessage = "new ids" | "command of PD" | "offer of a snapshot";

/** The cluster as faults see it. */
export interface FaultyCluster {
  readonly stores: readonly FaultyProcess[];
  readonly pd: FaultyProcess;
  readonly clients: readonly FaultyProcess[];
  /** The Store that leads the Region now, if any is known to. */
  leaderOf(region: RegionAt): FaultyProcess | undefined;
  /** Whether the Store has a peer of the Region now, as far as is known. */
  hasPeer(region: RegionAt, store: FaultyProcess): boolean;
  /** Calls back once, at the so manieth message of a snapshot's transfer that reaches the Store. @returns does not */
  atTransferMessage(store: FaultyProcess, messageCount: number, callback: () => void): () => void;
  /** Calls back once, at the first message of the kind that reaches a Store that is wanted. @returns does not */
  atMessage(
    what: AwaitedMessage,
    isWanted: (to: FaultyProcess) => boolean,
    callback: (to: FaultyProcess) => void,
  ): () => void;
  /** Whether the Region waits to be merged, as its leader knows it. */
  isWaiting(region: RegionAt): boolean;
  /** The leader of the Region that has the key is told to split it there: the key begins a new one. */
  split(at: string): void;
  /** PD tells the Region's leader to hand over to the peer on this Store. */
  transfer(region: RegionAt, to: FaultyProcess): void;
  /** The Region's leader receives a proposal of an older epoch from the peer on this Store. */
  proposeStale(region: number, from: FaultyProcess): void;
  /** An administrator asks the placement driver. */
  ask(action: AdminAction): void;
  /** The Store is to be emptied. @returns takes that back */
  decommission(place: number): () => void;
  /** The Store is gone for good, if every Region can go without it. @returns lets its successor join */
  loseStore(place: number, successor: "same-address" | "spare"): () => void;
  /**
   * A Store, or behind them a member of PD, stops and goes on with a program that knows the cluster version and no newer
   * one; as it is, when that program is too old for the cluster, or may be soon.
   *
   * @returns lets it start
   */
  changeProgram(place: number, clusterVersion: number): () => void;
  /** @returns ends it */
  addNetworkFault(fault: ActiveNetworkFault): () => void;
  resetConnections(a: string, b: string): void;
  setTimer(delayMs: number, callback: () => void): void;
  /** A fault begins or ends; for the trace. */
  noteFault(kind: FaultKind, what: "begins" | "ends", targets: readonly string[]): void;
}

/** A process that died at a write starts again after this, at the latest. */
const DOWN_AFTER_WRITE_MAX_MS = 4_000;

const nothing = (): void => {};

/** Lets faults happen to a cluster, and ends them. */
export class Injector {
  readonly #cluster: FaultyCluster;
  /** How to end each fault that lasts, oldest first. */
  readonly #active = new Set<() => void>();
  readonly counts: Partial<Record<FaultKind, number>> = {};

  constructor(cluster: FaultyCluster) {
    this.#cluster = cluster;
  }

  /** Lets each fault of a plan begin and end when it says so, counted from now. */
  schedule(faults: readonly Fault[]): void {
    for (const fault of faults) {
      this.#cluster.setTimer(fault.atMs, () => this.inflict(fault));
    }
  }

  /** Lets a fault begin now, and end when it is over. */
  inflict(fault: Fault): void {
    const targets = targetsOf(fault).flatMap((role) => this.#find(role));
    this.#cluster.noteFault(
      fault.kind,
      "begins",
      targets.map((process) => process.name),
    );
    this.counts[fault.kind] = (this.counts[fault.kind] ?? 0) + 1;
    const undo = this.#begin(fault, targets);
    const end = (): void => {
      if (this.#active.delete(end)) {
        this.#cluster.noteFault(fault.kind, "ends", []);
        undo();
      }
    };
    this.#active.add(end);
    this.#cluster.setTimer(fault.durationMs, end);
  }

  /** Ends everything that still lasts. */
  repair(): void {
    for (const end of [...this.#active]) {
      end();
    }
  }

  /** @returns what ends it */
  #begin(fault: Fault, targets: readonly FaultyProcess[]): () => void {
    if (isAdminAction(fault)) {
      this.#cluster.ask(fault);
      return nothing;
    }
    const [first, second] = targets;
    const disk = first?.disk;
    switch (fault.kind) {
      case "kill":
      case "power-off":
        return all(targets.map((process) => takeDown(process, () => process.end(fault.kind))));
      case "stop":
        return all(targets.map((process) => takeDown(process, () => process.stop())));
      case "pause":
        return all(targets.map((process) => process.pause()));
      case "crash-at-write":
        return first === undefined ? nothing : this.#crashAtWrite(first, fault, "now");
      case "crash-in-replacement":
        return first === undefined ? nothing : this.#crashAtWrite(first, fault, "next-deletion");
      case "slow-disk":
        return disk?.slow(fault.writeMs) ?? nothing;
      case "full-disk":
        disk?.setFull(true);
        return () => disk?.setFull(false);
      case "broken-disk":
        return disk?.break() ?? nothing;
      case "wall-jump":
        first?.jumpWallMs(fault.byMs);
        return () => first?.jumpWallMs(-fault.byMs);
      case "transfer":
        if (first !== undefined) {
          this.#cluster.transfer(fault.region, first);
        }
        return nothing;
      case "stale-proposal":
        if (first !== undefined) {
          this.#cluster.proposeStale(fault.region, first);
        }
        return nothing;
      case "decommission":
        return this.#cluster.decommission(fault.place);
      case "lose-store":
        return this.#cluster.loseStore(fault.place, fault.successor);
      case "change-program":
        return this.#cluster.changeProgram(fault.place, fault.clusterVersion);
      case "missed-change":
        return beginMissedChange(this.#cluster, fault);
      case "missed-merge":
        return beginMissedMerge(this.#cluster, fault);
      case "untold-change":
        return beginUntoldChange(this.#cluster, fault);
      case "overtaken-snapshot":
        return beginOvertakenSnapshot(this.#cluster, fault);
      case "lost-transfer":
        return beginLostTransfer(this.#cluster, fault);
      case "late-answers":
        return beginLateAnswers(this.#cluster, fault);
      case "doubtful-leader":
        return beginDoubtfulLeader(this.#cluster, fault);
      case "usurper":
        return beginUsurper(this.#cluster, fault);
      case "reset-connections":
        if (first !== undefined && second !== undefined) {
          this.#cluster.resetConnections(first.name, second.name);
        }
        return nothing;
      default: {
        const active = this.#resolve(fault, targets);
        return active === undefined ? nothing : this.#cluster.addNetworkFault(active);
      }
    }
  }

  /** Armed until the fault is over; then down for as long again, but not much longer than a restart takes others. */
  #crashAtWrite(
    process: FaultyProcess,
    { writeCount, moment, durationMs }: Extract<Fault, { kind: "crash-at-write" | "crash-in-replacement" }>,
    from: "now" | "next-deletion",
  ): () => void {
    const crash = (): void => {
      const release = takeDown(process, () => process.end("kill"));
      this.#active.add(release);
      this.#cluster.setTimer(Math.min(durationMs, DOWN_AFTER_WRITE_MAX_MS), () => {
        this.#active.delete(release);
        release();
      });
    };
    process.disk?.crashAtWrite(writeCount, moment, crash, from);
    return () => process.disk?.cancelCrash();
  }

  #resolve(
    fault: NetworkFaultAction,
    [first, second]: readonly FaultyProcess[],
  ): ActiveNetworkFault | undefined {
    switch (fault.kind) {
      case "loss":
      case "delay":
      case "duplicate":
      case "reorder":
      case "repeat":
      case "narrow":
      case "ring":
        return fault;
      case "slow-link":
      case "one-way": {
        if (first === undefined || second === undefined || first === second) {
          return undefined;
        }
        const ends = { from: first.name, to: second.name };
        return fault.kind === "one-way"
          ? { kind: fault.kind, ...ends }
          : { kind: fault.kind, ...ends, delayMs: fault.delayMs };
      }
      case "split":
        return { kind: "split", left: this.#leftOf(fault.left) };
      case "isolate":
      case "cut-off":
        return first === undefined ? undefined : { kind: fault.kind, host: first.name };
      default:
        return assertNever(fault, "kind of fault");
    }
  }

  #leftOf(bits: number): ReadonlySet<string> {
    const { stores, pd, clients } = this.#cluster;
    const names = [...stores, pd, ...clients].map((process) => process.name);
    return new Set(names.filter((_, place) => (bits & (1 << place)) !== 0));
  }

  #find(targets: Targets): readonly FaultyProcess[] {
    const { stores, pd, clients } = this.#cluster;
    switch (targets.role) {
      case "store":
        return [at(stores, targets.place)];
      case "leader":
        // Without one, something happens all the same.
        return [this.#cluster.leaderOf(targets.region) ?? at(stores, targets.region)];
      case "follower": {
        const leader = this.#cluster.leaderOf(targets.region);
        return [
          at(
            stores.filter((store) => store !== leader),
            targets.place,
          ),
        ];
      }
      case "pd":
        return [pd];
      case "client":
        return [at(clients, targets.place)];
      case "majority": {
        const count = Math.floor(stores.length / 2) + 1;
        return Array.from({ length: count }, (_, place) => at(stores, targets.place + place));
      }
      case "stores":
        return stores;
      case "everything":
        return [...stores, pd];
      default:
        return assertNever(targets, "role");
    }
  }
}

/** Whom a fault concerns, in the order of its parameters. */
function targetsOf(fault: Fault): readonly Targets[] {
  switch (fault.kind) {
    case "kill":
    case "power-off":
    case "stop":
    case "pause":
      return [fault.targets];
    case "slow-link":
    case "one-way":
      return [fault.from, fault.to];
    case "reset-connections":
      return [fault.a, fault.b];
    case "transfer":
    case "stale-proposal":
      return [{ role: "store", place: fault.place } satisfies Target];
    default:
      return "target" in fault ? [fault.target] : [];
  }
}

function takeDown(process: FaultyProcess, end: () => void): () => void {
  const release = process.hold();
  end();
  return release;
}

function all(undos: readonly (() => void)[]): () => void {
  return () => {
    for (const undo of undos) {
      undo();
    }
  };
}

function at<Item>(items: readonly Item[], place: number): Item {
  return items[place % items.length] as Item;
}
